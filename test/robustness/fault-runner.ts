import { delay } from "#libs/async/delay.js";
import type { Cluster } from "#test/robustness/cluster.js";
import type { ProcessShims } from "#test/robustness/process-shims.js";
import type { Fault } from "#test/robustness/steps.js";

const NATS = "nats-server";

/** Does the harm that the schedule wants. */
export class FaultRunner {
  readonly #cluster: Cluster;
  readonly #shims: ProcessShims;
  readonly #busy = new Map<string, Promise<void>>();

  constructor(cluster: Cluster, shims: ProcessShims) {
    this.#cluster = cluster;
    this.#shims = shims;
  }

  /** Whether this fault can be made here. */
  isPossible(fault: Fault): boolean {
    const isInner = fault.kind === "clock" || fault.kind === "slow-fsync" || fault.kind === "disk-full";
    return !isInner || this.#shims.supports(fault);
  }

  /** Makes a fault and ends it. One at a time for each target, in the order of the calls. */
  async run(fault: Fault): Promise<void> {
    const hit = "target" in fault ? fault.target : `link ${fault.link}`;
    const before = this.#busy.get(hit) ?? Promise.resolve();
    const run = before.then(() => this.#run(fault));
    this.#busy.set(
      hit,
      run.catch(() => undefined),
    );
    await run;
  }

  async #run(fault: Fault): Promise<void> {
    switch (fault.kind) {
      case "kill":
        await (fault.target === NATS
          ? this.#killNats(fault.forMs, false)
          : this.#cluster.kept(fault.target).kill(fault.forMs));
        break;
      case "wipe":
        await this.#killNats(fault.forMs, true);
        break;
      case "stop":
        await (fault.target === NATS
          ? this.#pauseNats(fault.forMs)
          : this.#cluster.kept(fault.target).pause(fault.forMs));
        break;
      case "drain":
        await this.#cluster.kept(fault.target).drain();
        break;
      case "cut":
        this.#cluster.proxy(fault.link).cut();
        break;
      case "refuse":
      case "swallow":
      case "slow":
        await this.#trouble(fault);
        break;
      case "clock":
      case "slow-fsync":
      case "disk-full":
        await this.#shims.run(fault);
        break;
    }
  }

  async #trouble(fault: Extract<Fault, { kind: "refuse" | "swallow" | "slow" }>): Promise<void> {
    const proxy = this.#cluster.proxy(fault.link);
    if (fault.kind === "slow") proxy.slow(fault.delayMs);
    else if (fault.kind === "refuse") proxy.refuse();
    else proxy.swallow();
    await delay(fault.forMs);
    proxy.heal();
  }

  async #killNats(forMs: number, wipe: boolean): Promise<void> {
    const { nats } = this.#cluster.stack;
    await nats.kill();
    await delay(forMs);
    await nats.restart({ wipe });
  }

  async #pauseNats(forMs: number): Promise<void> {
    const { pid } = this.#cluster.stack.nats;
    process.kill(pid, "SIGSTOP");
    await delay(forMs);
    process.kill(pid, "SIGCONT");
  }
}
