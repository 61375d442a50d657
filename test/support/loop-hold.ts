import { readFileSync } from "node:fs";

/** How the event loop was held between two looks at it, and so by what one turn of it ran. */
export interface HeldLoop {
  /** The longest that one turn computed, in milliseconds. */
  readonly longestComputedMs: number;
  /** Turns that took longer than the limit, be it with computing or in synchronous calls. */
  readonly longTurns: number;
}

/** What the main thread did, in milliseconds since it began. */
interface Reading {
  readonly beforeMs: number;
  readonly afterMs: number;
  readonly computedMs: number;
  /** Ready to run, but without a core; undefined where the system does not tell. */
  readonly waitedMs: number | undefined;
}

/** How often the loop is looked at. */
const PERIOD_MS = 1;
/** Of the main thread: nanoseconds on a core, nanoseconds ready and without one. On Linux only. */
const SCHEDULED = `/proc/self/task/${process.pid}/schedstat`;

/**
 * Measures how what runs on the event loop of the main thread holds it. Other programs do not show in what it computed. They may show in
 * a few long turns, as it waits for threads and processes of its own (a collection of garbage, a spawn) that wait for a core.
 */
export class LoopHold {
  readonly #limitMs: number;
  #timer: NodeJS.Timeout | undefined;
  #last = read();
  #longestComputedMs = 0;
  #longTurns = 0;

  /** `limitMs` is what a turn may take until it is called long. */
  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /** Begins anew. */
  begin(): void {
    clearInterval(this.#timer);
    this.#longestComputedMs = 0;
    this.#longTurns = 0;
    this.#last = read();
    this.#timer = setInterval(() => {
      this.#look();
    }, PERIOD_MS);
  }

  /** Ends it and returns what was measured since `begin`. */
  end(): HeldLoop {
    clearInterval(this.#timer);
    this.#look();
    return { longestComputedMs: this.#longestComputedMs, longTurns: this.#longTurns };
  }

  #look(): void {
    const last = this.#last;
    const now = read();
    this.#last = now;
    const computedMs = now.computedMs - last.computedMs;
    // Reading may itself wait for a core: that is left out, lest it is held against the loop.
    const passedMs = now.beforeMs - last.afterMs - PERIOD_MS;
    const heldMs =
      now.waitedMs === undefined || last.waitedMs === undefined
        ? Math.min(passedMs, computedMs)
        : passedMs - (now.waitedMs - last.waitedMs);
    this.#longestComputedMs = Math.max(this.#longestComputedMs, computedMs);
    if (heldMs > this.#limitMs) this.#longTurns += 1;
  }
}

function read(): Reading {
  const beforeMs = performance.now();
  return { beforeMs, ...computedAndWaited(), afterMs: performance.now() };
}

/** Where the system does not tell it of the main thread alone, what all threads of this process computed. */
function computedAndWaited(): Pick<Reading, "computedMs" | "waitedMs"> {
  try {
    const [computed, waited] = readFileSync(SCHEDULED, "utf8").split(" ");
    return { computedMs: Number(computed) / 1e6, waitedMs: Number(waited) / 1e6 };
  } catch {
    const { user, system } = process.cpuUsage();
    return { computedMs: (user + system) / 1000, waitedMs: undefined };
  }
}
