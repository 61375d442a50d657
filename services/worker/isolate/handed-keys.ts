import { z } from "zod";
import type { RingKeys } from "#libs/sealing/key-ring.js";

const key = z.string().regex(/^[0-9a-f]{64}$/);

/** Keys as they go to a process: in hexadecimal. */
export const handedKeys = z.object({ current: key.nullable(), old: z.array(key) });

/** See {@link handedKeys}. */
export type HandedKeys = z.infer<typeof handedKeys>;

/** Writes keys for the way to a process. */
export function toHanded({ current, old }: RingKeys): HandedKeys {
  return { current: current === null ? null : toHex(current), old: old.map(toHex) };
}

/** Reads keys that came that way. */
export function fromHanded({ current, old }: HandedKeys): RingKeys {
  return { current: current === null ? null : fromHex(current), old: old.map(fromHex) };
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "hex"));
}
