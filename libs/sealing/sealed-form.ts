/** First byte of a sealed value. No protobuf message of Taskwire begins with it: it would be field 28. */
const MAGIC = 0xe1;
const VERSION = 1;
/** What a sealed text begins with; no JSON text does. */
const TEXT_PREFIX = "sealed:";

export const KEY_ID_BYTES = 4;
export const NONCE_BYTES = 12;
export const TAG_BYTES = 16;
const HEADER_BYTES = 2 + KEY_ID_BYTES + NONCE_BYTES;

/** How many bytes longer a sealed value is. */
export const SEAL_BYTES = HEADER_BYTES + TAG_BYTES;

/** The parts of a sealed value: magic, version, key id, nonce, ciphertext, tag. */
export interface SealedParts {
  readonly keyId: string;
  readonly nonce: Uint8Array;
  readonly ciphertext: Uint8Array;
  readonly tag: Uint8Array;
}

/** Whether these bytes are a sealed value, of whatever version. */
export function isSealed(bytes: Uint8Array): boolean {
  return bytes[0] === MAGIC;
}

/** Whether this text is a sealed value. */
export function isSealedText(text: string): boolean {
  return text.startsWith(TEXT_PREFIX);
}

/** A sealed value of these parts; `keyId`: its four bytes. */
export function joinParts(keyId: Uint8Array, nonce: Uint8Array, ciphertext: Uint8Array, tag: Uint8Array): Buffer {
  const sealed = Buffer.allocUnsafe(SEAL_BYTES + ciphertext.length);
  sealed[0] = MAGIC;
  sealed[1] = VERSION;
  sealed.set(keyId, 2);
  sealed.set(nonce, 2 + KEY_ID_BYTES);
  sealed.set(ciphertext, HEADER_BYTES);
  sealed.set(tag, HEADER_BYTES + ciphertext.length);
  return sealed;
}

/** The parts of a sealed value; undefined: it was cut, or another version made it. */
export function splitParts(sealed: Uint8Array): SealedParts | undefined {
  if (sealed.length < SEAL_BYTES || sealed[1] !== VERSION) return undefined;
  const end = sealed.length - TAG_BYTES;
  return {
    keyId: Buffer.from(sealed.buffer, sealed.byteOffset + 2, KEY_ID_BYTES).toString("hex"),
    nonce: sealed.subarray(2 + KEY_ID_BYTES, HEADER_BYTES),
    ciphertext: sealed.subarray(HEADER_BYTES, end),
    tag: sealed.subarray(end),
  };
}

/** A sealed value as text. */
export function toSealedText(sealed: Buffer): string {
  return TEXT_PREFIX + sealed.toString("base64url");
}

/** The sealed value of a text that {@link isSealedText}. */
export function fromSealedText(text: string): Uint8Array {
  return Buffer.from(text.slice(TEXT_PREFIX.length), "base64url");
}
