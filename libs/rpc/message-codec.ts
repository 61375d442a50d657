import { BinaryReader, type BinaryWriter } from "@bufbuild/protobuf/wire";

/** How a message is written and read; every generated message is one. */
export interface MessageCodec<T> {
  encode(message: T, writer?: BinaryWriter): BinaryWriter;
  decode(input: BinaryReader | Uint8Array, length?: number): T;
}

const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Encodes a message without copying the result once more. */
export function encodeMessage<T>(codec: MessageCodec<T>, message: T): Buffer {
  return asBuffer(codec.encode(message).finish());
}

/** The same bytes as a Buffer; nothing is copied. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A map key that generated code drops in silence, because it would reach the prototype of a JavaScript object. */
export const LOST_KEY = "__proto__";

/** Decodes a message; unlike `codec.decode` it throws when a text is not valid UTF-8. */
export function decodeStrictly<T>(codec: MessageCodec<T>, bytes: Uint8Array): T {
  return codec.decode(new BinaryReader(bytes, decodeStrictText));
}

/** Decodes UTF-8; throws when it is not valid. */
export function decodeStrictText(bytes: Uint8Array): string {
  return strictDecoder.decode(bytes);
}
