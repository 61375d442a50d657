import { join } from "node:path";
import { delay } from "#libs/async/delay.js";
import { FaultShim } from "#test/faults/fault-shim.js";
import type { Fault } from "#test/robustness/steps.js";

/** The faults that come from inside a process: its clock, its disk. */
export type InnerFault = Extract<Fault, { kind: "clock" | "slow-fsync" | "disk-full" }>;

const SERVICE = "task-service";

/**
 * Makes faults inside processes, through a library loaded into them. Where that cannot be built or loaded it does nothing, and says so.
 */
export class ProcessShims {
  readonly #shims = new Map<string, FaultShim>();
  #latestClockMs = 0;

  /** @param folder - gets the control files; @param database - whose files are hit by faults of the disk */
  constructor(folder: string, database: string, workers: readonly string[]) {
    if (!FaultShim.isSupported) return;
    const directoryOf = (name: string) => join(folder, "shims", name);
    this.#shims.set(SERVICE, new FaultShim({ directory: directoryOf(SERVICE), database }));
    for (const name of workers) this.#shims.set(name, new FaultShim({ directory: directoryOf(name) }));
  }

  /** What a process must be started with. */
  environmentOf(name: string): Readonly<Record<string, string>> {
    return this.#shims.get(name)?.env ?? {};
  }

  /** Whether this fault can be made here. */
  supports({ target }: InnerFault): boolean {
    return this.#shims.has(target);
  }

  /** Makes a fault; one with a duration is over when the promise resolves, a clock stays as it is until the next fault. */
  async run(fault: InnerFault): Promise<void> {
    const shim = this.#shims.get(fault.target);
    if (shim === undefined) return;
    switch (fault.kind) {
      case "clock":
        shim.setClockOffsetMs(fault.offsetMs);
        if (fault.target === SERVICE) this.#latestClockMs = Math.max(this.#latestClockMs, fault.offsetMs);
        break;
      case "slow-fsync":
        shim.setSlowFsyncMs(fault.delayMs);
        await delay(fault.forMs);
        shim.setSlowFsyncMs(0);
        break;
      case "disk-full":
        shim.setDiskFull(true);
        await delay(fault.forMs);
        shim.setDiskFull(false);
        break;
    }
  }

  /**
   * Sets the workers' clocks right, and that of the service to the latest time it has ever been ahead: what it put off by an hour then is
   * due at once, and tasks are not waited for until tomorrow.
   */
  heal(): void {
    for (const [name, shim] of this.#shims) shim.setClockOffsetMs(name === SERVICE ? this.#latestClockMs : 0);
  }

  /** Lets go of the control files. */
  close(): void {
    for (const shim of this.#shims.values()) shim.close();
  }
}
