import { hkdfSync } from "node:crypto";
import type { RingKeys } from "#libs/sealing/key-ring.js";

const KEY_BYTES = 32;

/**
 * Keys for one purpose: HKDF-SHA256 (RFC 5869) of each key, without salt, with `purpose` as info. From them neither the keys they come from
 * nor those for another purpose can be found; old keys stay old, so a rotation holds for derived keys as well.
 */
export function deriveKeys(keys: RingKeys, purpose: string): RingKeys {
  const derive = (key: Uint8Array) => new Uint8Array(hkdfSync("sha256", key, "", purpose, KEY_BYTES));
  return { current: keys.current === null ? null : derive(keys.current), old: keys.old.map(derive) };
}
