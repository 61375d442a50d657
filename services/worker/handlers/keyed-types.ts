import { deriveKeys } from "#libs/sealing/derive-keys.js";
import type { RingKeys } from "#libs/sealing/key-ring.js";
import { KEYED_HANDLERS } from "#worker/handlers/manifest.js";
import type { KeyedType } from "#worker/isolate/isolates.js";

/** What the key of a type is derived for; also needed to open elsewhere what its handler has sealed. */
export function keyPurpose(type: string): string {
  return `taskwire handler ${type}`;
}

/** The built-in types whose handlers are given keys, and the keys, each derived from the worker's for its type alone. */
export function keyedTypes(keys: RingKeys): ReadonlyMap<string, KeyedType> {
  return new Map(
    [...KEYED_HANDLERS].map(([type, module]) => [type, { module, keys: deriveKeys(keys, keyPurpose(type)) }]),
  );
}
