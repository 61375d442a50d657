import type { Socket } from "node:net";

/** What a pipe does with the bytes that come. */
export interface PipeMode {
  /** Reads and forgets them, and does not pass on an end either. */
  readonly swallows: boolean;
  /** How long each chunk is held back. */
  readonly delayMs: number;
}

interface Held {
  readonly dueMs: number;
  /** Undefined: the end. */
  readonly chunk: Buffer | undefined;
}

/** Passes on the bytes of one direction of a connection, in their order, as its mode says at the moment they come. */
export class DelayedPipe {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #mode: () => PipeMode;
  #held: Held[] = [];
  #timer: NodeJS.Timeout | undefined;
  #hasSwallowed = false;

  constructor(from: Socket, to: Socket, mode: () => PipeMode) {
    this.#from = from;
    this.#to = to;
    this.#mode = mode;
    from.on("data", (chunk: Buffer) => {
      this.#take(chunk);
    });
    from.on("end", () => {
      this.#take(undefined);
    });
    to.on("drain", () => {
      from.resume();
    });
    from.on("close", () => {
      clearTimeout(this.#timer);
    });
  }

  /** Whether bytes are missing on the other side: it must never be used again. */
  get hasSwallowed(): boolean {
    return this.#hasSwallowed;
  }

  #take(chunk: Buffer | undefined): void {
    const { swallows, delayMs } = this.#mode();
    if (swallows) {
      this.#hasSwallowed = true;
      return;
    }
    if (delayMs === 0 && this.#held.length === 0) {
      this.#pass(chunk);
      return;
    }
    const dueMs = Math.max(performance.now() + delayMs, this.#held.at(-1)?.dueMs ?? 0);
    this.#held.push({ dueMs, chunk });
    if (this.#held.length === 1) this.#wait();
  }

  #wait(): void {
    const next = this.#held[0];
    if (next === undefined) return;
    this.#timer = setTimeout(
      () => {
        this.#held.shift();
        this.#pass(next.chunk);
        this.#wait();
      },
      Math.max(0, next.dueMs - performance.now()),
    );
  }

  #pass(chunk: Buffer | undefined): void {
    if (this.#to.destroyed || !this.#to.writable) return;
    if (chunk === undefined) this.#to.end();
    else if (!this.#to.write(chunk)) this.#from.pause();
  }
}
