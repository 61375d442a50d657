import { RateMeter, type Rates } from "#cli/top/rate-meter.js";
import { SampleWindow, type Spread } from "#cli/top/sample-window.js";

/** What is to be done in a queue, and how fast that goes. */
export interface Load {
  /** Tasks that wait now. */
  readonly pending: number;
  /** Tasks that run now. */
  readonly running: number;
  readonly createdPerSecond: Rates;
  readonly finishedPerSecond: Rates;
  /** Tasks that have FAILED since `taskwire top` began. */
  readonly failed: number;
  /** From the creation of a task to the start of its first attempt. */
  readonly waitMs: Spread;
  /** From the start of a task's last attempt to its end. */
  readonly runMs: Spread;
}

/** Adds up the {@link Load} of a queue, or of all. */
export class LoadMeter {
  pending = 0;
  running = 0;
  failed = 0;
  readonly created: RateMeter;
  readonly finished: RateMeter;
  readonly waits = new SampleWindow();
  readonly runs = new SampleWindow();

  /** `beside`: the meter of all, which began earlier and is read at the same times. */
  constructor(beside?: LoadMeter) {
    this.created = new RateMeter(beside?.created);
    this.finished = new RateMeter(beside?.finished);
  }

  /** The load at a time, in milliseconds of a clock that only goes forward. Rates are since the reading before. */
  read(atMs: number): Load {
    return {
      pending: this.pending,
      running: this.running,
      createdPerSecond: this.created.mark(atMs),
      finishedPerSecond: this.finished.mark(atMs),
      failed: this.failed,
      waitMs: this.waits.spread(),
      runMs: this.runs.spread(),
    };
  }
}
