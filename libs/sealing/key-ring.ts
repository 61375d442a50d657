import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
} from "node:crypto";
import { NonceSource } from "#libs/sealing/nonce-source.js";
import {
  fromSealedText,
  isSealed,
  isSealedText,
  joinParts,
  KEY_ID_BYTES,
  splitParts,
  TAG_BYTES,
  toSealedText,
} from "#libs/sealing/sealed-form.js";
import { keyMissing, sealBroken } from "#libs/sealing/sealing-errors.js";

/** Keys of 32 bytes each; plain bytes, so that they can be handed to a thread. */
export interface RingKeys {
  /** Seals; null: nothing is sealed. */
  readonly current: Uint8Array | null;
  /** Only open what they have sealed. */
  readonly old: readonly Uint8Array[];
}

/** No keys: everything stays plain. */
export const NO_KEYS: RingKeys = { current: null, old: [] };

interface Key {
  readonly id: string;
  readonly idBytes: Uint8Array;
  readonly secret: KeyObject;
  readonly marking: KeyObject;
}

const CIPHER = "aes-256-gcm";
const CIPHER_OPTIONS = { authTagLength: TAG_BYTES };
/** As long as the marks of requests have always been: 132 bits. */
const MARK_CHARACTERS = 22;
const MARK_PATTERN = /^([0-9a-f]{8})\.(.+)$/;

/**
 * Seals values with AES-256-GCM under the current key and opens what any of its keys has sealed. Which key a sealed value needs is
 * written on it: the first 8 hex digits of SHA-256 over the key. A `context` says where a value belongs; moved elsewhere it does not open.
 *
 * What is not sealed is handed through when it is opened, so that encryption can be switched on over data that is there already. Nonces
 * are random: one key should seal no more than 2^32 values (NIST SP 800-38D, 8.3).
 */
export class KeyRing {
  readonly #current: Key | undefined;
  readonly #keys: ReadonlyMap<string, Key>;
  readonly #nonces = new NonceSource();

  constructor({ current, old }: RingKeys) {
    const keys = new Map(old.map(toKey).map((key) => [key.id, key]));
    if (current !== null) {
      this.#current = toKey(current);
      keys.set(this.#current.id, this.#current);
    }
    this.#keys = keys;
  }

  /** The id of the key that seals; undefined: nothing is sealed. */
  get currentId(): string | undefined {
    return this.#current?.id;
  }

  /** The ids of all keys. */
  get keyIds(): readonly string[] {
    return [...this.#keys.keys()];
  }

  /** The value sealed; as it is while there is no current key. */
  seal(plain: Uint8Array, context: string): Uint8Array {
    return this.#current === undefined ? plain : this.#seal(this.#current, plain, context);
  }

  /** The value that was sealed for this context. Throws FAILED_PRECONDITION (`KEY_MISSING`) or DATA_LOSS (`SEAL_BROKEN`). */
  open(value: Uint8Array, context: string): Uint8Array {
    return isSealed(value) ? this.#open(value, context) : value;
  }

  /** As {@link seal}, for a text: `sealed:` and base64url. */
  sealText(plain: string, context: string): string {
    if (this.#current === undefined) return plain;
    return toSealedText(this.#seal(this.#current, Buffer.from(plain), context));
  }

  /** As {@link open}, for a text. */
  openText(value: string, context: string): string {
    return isSealedText(value) ? this.#open(fromSealedText(value), context).toString() : value;
  }

  /**
   * A mark by which `text` can be recognised and from which it cannot be guessed without the key. Without a current key, or for null, it is
   * `text` itself.
   */
  mark(text: string | null): string | null {
    return text === null || this.#current === undefined ? text : markUnder(this.#current, text);
  }

  /** Whether a mark, by whichever key, is that of `text`. Throws FAILED_PRECONDITION (`KEY_MISSING`). */
  isMarkOf(mark: string | null, text: string | null): boolean {
    const keyId = mark === null ? undefined : MARK_PATTERN.exec(mark)?.[1];
    if (keyId === undefined || text === null) return mark === text;
    return markUnder(this.#keyOf(keyId), text) === mark;
  }

  #seal(key: Key, plain: Uint8Array, context: string): Buffer {
    const nonce = this.#nonces.next();
    const cipher = createCipheriv(CIPHER, key.secret, nonce, CIPHER_OPTIONS);
    cipher.setAAD(Buffer.from(context));
    const ciphertext = cipher.update(plain);
    // Nothing is left over in a mode that works like a stream.
    cipher.final();
    return joinParts(key.idBytes, nonce, ciphertext, cipher.getAuthTag());
  }

  #open(sealed: Uint8Array, context: string): Buffer {
    const parts = splitParts(sealed);
    if (parts === undefined) throw sealBroken();
    const key = this.#keyOf(parts.keyId);
    try {
      const decipher = createDecipheriv(CIPHER, key.secret, parts.nonce, CIPHER_OPTIONS);
      decipher.setAAD(Buffer.from(context));
      decipher.setAuthTag(parts.tag);
      const plain = decipher.update(parts.ciphertext);
      decipher.final();
      return plain;
    } catch {
      throw sealBroken();
    }
  }

  #keyOf(id: string): Key {
    const key = this.#keys.get(id);
    if (key === undefined) throw keyMissing(id);
    return key;
  }
}

function toKey(bytes: Uint8Array): Key {
  const idBytes = createHash("sha256").update(bytes).digest().subarray(0, KEY_ID_BYTES);
  const marking = hkdfSync("sha256", bytes, "", "taskwire marks", bytes.length);
  return {
    id: idBytes.toString("hex"),
    idBytes,
    secret: createSecretKey(bytes),
    marking: createSecretKey(Buffer.from(marking)),
  };
}

function markUnder(key: Key, text: string): string {
  return `${key.id}.${createHmac("sha256", key.marking).update(text).digest("base64url").slice(0, MARK_CHARACTERS)}`;
}
