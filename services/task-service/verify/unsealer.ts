import { eventContext, resultContext } from "#libs/sealing/contexts.js";
import type { KeyRing } from "#libs/sealing/key-ring.js";
import { missingKeyOf } from "#libs/sealing/sealing-errors.js";

/** Opens what was sealed, as far as there are keys. */
export class Unsealer {
  readonly #ring: KeyRing;

  constructor(ring: KeyRing) {
    this.#ring = ring;
  }

  /** The body of an event; undefined: there is no key for it. Throws DATA_LOSS (`SEAL_BROKEN`). */
  event(body: Uint8Array, revision: number): Uint8Array | undefined {
    return unlessLocked(() => this.#ring.open(body, eventContext(revision)));
  }

  /** A result; undefined: there is no key for it. Throws DATA_LOSS (`SEAL_BROKEN`). */
  result(json: string, taskId: string): string | undefined {
    return unlessLocked(() => this.#ring.openText(json, resultContext(taskId)));
  }
}

function unlessLocked<T>(open: () => T): T | undefined {
  try {
    return open();
  } catch (error) {
    if (missingKeyOf(error) !== undefined) return undefined;
    throw error;
  }
}
