import { AsyncLocalStorage } from "node:async_hooks";
import { NO_KEYS, type RingKeys } from "#libs/sealing/key-ring.js";

const given = new AsyncLocalStorage<RingKeys>();

/** Runs `work` with keys that {@link runKeys} finds from within it, and only from there. */
export function withRunKeys<T>(keys: RingKeys, work: () => T): T {
  return given.run(keys, work);
}

/** The keys that the worker handed to the type of this run, derived for it; none: the worker has no key, or the type is not to have any. */
export function runKeys(): RingKeys {
  return given.getStore() ?? NO_KEYS;
}
