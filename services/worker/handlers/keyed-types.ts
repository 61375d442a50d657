import { fileURLToPath } from "node:url";
import { handlerKeyPurpose } from "#libs/sealing/contexts.js";
import { deriveKeys } from "#libs/sealing/derive-keys.js";
import type { RingKeys } from "#libs/sealing/key-ring.js";
import type { KeyedType } from "#worker/isolate/isolates.js";

/** Modules of built-in types that get keys, by type. */
const KEYED_MODULES: readonly (readonly [type: string, file: string])[] = [["resume.process", "resume-process.js"]];

/** The built-in types whose handlers are given keys, and the keys, each derived from the worker's for its type alone. */
export function keyedTypes(keys: RingKeys): ReadonlyMap<string, KeyedType> {
  const typed = KEYED_MODULES.map(([type, file]): [string, KeyedType] => {
    const module = fileURLToPath(new URL(file, import.meta.url));
    return [type, { module, keys: deriveKeys(keys, handlerKeyPurpose(type)) }];
  });
  return new Map(typed);
}
