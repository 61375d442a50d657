/** An encoded frame, and the cursor after it. */
export interface TailFrame {
  readonly revision: number;
  readonly bytes: Uint8Array;
}

const DEFAULT_CAPACITY_BYTES = 8 * 1024 * 1024;

/** Frames of the latest commits, for all selections together up to 8 MiB; the oldest go first. */
export class FrameCache {
  readonly #capacityBytes: number;
  readonly #frames = new Map<string, readonly TailFrame[]>();
  #bytes = 0;

  constructor(capacityBytes: number = DEFAULT_CAPACITY_BYTES) {
    this.#capacityBytes = capacityBytes;
  }

  get(key: string): readonly TailFrame[] | undefined {
    return this.#frames.get(key);
  }

  /** Keeps frames under a key that is new. */
  set(key: string, frames: readonly TailFrame[]): void {
    this.#frames.set(key, frames);
    this.#bytes += sizeOf(frames);
    for (const [oldest, its] of this.#frames) {
      if (this.#bytes <= this.#capacityBytes) return;
      this.#frames.delete(oldest);
      this.#bytes -= sizeOf(its);
    }
  }
}

function sizeOf(frames: readonly TailFrame[]): number {
  return frames.reduce((sum, { bytes }) => sum + bytes.length, 0);
}
