import { randomFillSync } from "node:crypto";
import { NONCE_BYTES } from "#libs/sealing/sealed-form.js";

const BATCH_BYTES = NONCE_BYTES * 512;

/** Random nonces, each handed out once. They are drawn many at a time, because asking costs as much as sealing a small value. */
export class NonceSource {
  #batch = new Uint8Array(0);
  #used = 0;

  /** Twelve random bytes that nobody else is given. */
  next(): Uint8Array {
    if (this.#used >= this.#batch.length) {
      this.#batch = randomFillSync(new Uint8Array(BATCH_BYTES));
      this.#used = 0;
    }
    this.#used += NONCE_BYTES;
    return this.#batch.subarray(this.#used - NONCE_BYTES, this.#used);
  }
}
