import { randomUUID } from "node:crypto";

const MAX_COUNTER = 0xfff;

/**
 * Makes UUIDv7 (RFC 9562 §5.7) that rise strictly within this process: 48 bits of milliseconds, a 12-bit counter within the
 * millisecond (§6.2, method 1), 62 random bits. When a millisecond's counter is used up, or the clock goes back, it runs ahead of the
 * clock. The random part is cut from `randomUUID`, which keeps a pool of randomness.
 */
export class UuidSource {
  #lastMs = 0;
  #counter = 0;
  #timePart = "";

  /** The next id in lower-case text form, and the milliseconds since 1970 it carries. */
  next(): { readonly id: string; readonly timeMs: number } {
    const nowMs = Date.now();
    if (nowMs > this.#lastMs) this.#startMillisecond(nowMs);
    else if (this.#counter === MAX_COUNTER) this.#startMillisecond(this.#lastMs + 1);
    else this.#counter += 1;
    // Characters 18… of a random UUID: “-”, variant and random bits.
    const id = this.#timePart + (0x7000 | this.#counter).toString(16) + randomUUID().slice(18);
    return { id, timeMs: this.#lastMs };
  }

  #startMillisecond(ms: number): void {
    this.#lastMs = ms;
    this.#counter = 0;
    const hex = ms.toString(16).padStart(12, "0");
    this.#timePart = `${hex.slice(0, 8)}-${hex.slice(8)}-`;
  }
}

/** When a UUIDv7 was made, in milliseconds since 1970. */
export function uuidTimeMs(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}
