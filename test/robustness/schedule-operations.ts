import type { Random } from "#test/robustness/random.js";
import { randomTask } from "#test/robustness/schedule-tasks.js";
import type { CursorChoice, Leg, Operation, Step } from "#test/robustness/steps.js";

/** Draws what clients do from 0 to `durationMs`, at `perSecond` operations on average. */
export function scheduleOperations(random: Random, durationMs: number, perSecond: number): Step<Operation>[] {
  const steps: Step<Operation>[] = [];
  const draw = new OperationDraw(random);
  for (let atMs = 0; ;) {
    // Exponential gaps: operations come in bunches, as in life.
    atMs += Math.round((-Math.log(1 - random.next()) * 1000) / perSecond);
    if (atMs >= durationMs) return steps;
    steps.push({ atMs, action: draw.next() });
  }
}

class OperationDraw {
  readonly #random: Random;
  readonly #named: Extract<Operation, { kind: "create" }>[] = [];
  #ops = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  next(): Operation {
    const random = this.#random;
    const die = random.next();
    if (die < 0.38 || this.#ops < 3) return this.#create();
    if (die < 0.42) return this.#repeat();
    if (die < 0.47) return this.#batch();
    if (die < 0.61) return this.#cancel();
    if (die < 0.7) return { kind: "retry", pick: random.next(), fenced: random.chance(0.5) };
    if (die < 0.73) return { kind: "get", pick: random.next() };
    return { kind: "watch", via: this.#via(), pick: latest(random), legs: this.#legs() };
  }

  #create(): Operation {
    const random = this.#random;
    const named = random.chance(0.5);
    const create = {
      kind: "create",
      via: this.#via(),
      op: (this.#ops += 1),
      spec: randomTask(random),
      named,
    } as const;
    // A repeated create must have the same body, and a time that is reckoned from now has not.
    if (named && create.spec.runInMs === undefined) this.#named.push(create);
    return create;
  }

  #cancel(): Operation {
    const random = this.#random;
    // Rather one that has waited for long: that one is running.
    const pick = Math.sqrt(random.next());
    return { kind: "cancel", via: this.#via(), pick, among: random.chance(0.8) ? "unfinished" : "all" };
  }

  #repeat(): Operation {
    if (this.#named.length === 0) return this.#create();
    const { op, spec } = this.#random.pick(this.#named);
    return { kind: "repeat", op, spec };
  }

  #batch(): Operation {
    const specs = Array.from({ length: this.#random.int(2, 8) }, () => randomTask(this.#random));
    return { kind: "batch", specs, ops: specs.map(() => (this.#ops += 1)) };
  }

  #legs(): Leg[] {
    const random = this.#random;
    return Array.from({ length: random.int(1, 4) }, () => ({
      cursor: this.#cursor(),
      forMs: random.int(200, 5000),
      stallMs: random.chance(0.2) ? random.int(1000, 4000) : 0,
    }));
  }

  #cursor(): CursorChoice {
    const random = this.#random;
    return random.chance(0.4) ? random.next() : random.pick(["snapshot", "start", "last"] as const);
  }

  #via(): "raw" | "client" {
    return this.#random.chance(0.4) ? "client" : "raw";
  }
}

/** Rather a late task than an early one: those are still running. */
function latest(random: Random): number {
  return random.next() ** 3;
}
