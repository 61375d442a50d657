import { handlerKeyPurpose } from "#libs/sealing/contexts.js";
import { deriveKeys } from "#libs/sealing/derive-keys.js";
import type { RingKeys } from "#libs/sealing/key-ring.js";
import { KEYED_HANDLERS } from "#worker/handlers/manifest.js";
import type { KeyedType } from "#worker/isolate/isolates.js";

/** The built-in types whose handlers are given keys, and the keys, each derived from the worker's for its type alone. */
export function keyedTypes(keys: RingKeys): ReadonlyMap<string, KeyedType> {
  return new Map(
    [...KEYED_HANDLERS].map(([type, module]) => [type, { module, keys: deriveKeys(keys, handlerKeyPurpose(type)) }]),
  );
}
