import fc from "fast-check";
import { environment } from "#libs/config/environment.js";
import type { WriteCommand } from "#task-service/store/write-command.js";
import { compareStore } from "#test/conformance/task-store/model/compare-store.js";
import { FakeClock } from "#test/conformance/task-store/model/fake-clock.js";
import { showCommand } from "#test/conformance/task-store/model/show-command.js";
import { step, upkeep, type Step } from "#test/conformance/task-store/model/random-steps.js";
import { StoreBench } from "#test/conformance/task-store/model/store-bench.js";
import { StoreModel } from "#test/conformance/task-store/model/store-model.js";
import type { StoreFactory } from "#test/conformance/task-store/store-factory.js";

/** Random histories per run of the suite; `TASKWIRE_MODEL_RUNS` asks for more. */
const RUNS = Number(environment()["TASKWIRE_MODEL_RUNS"] ?? 4);
const MAX_COMMANDS = 150;
const QUEUE_CAPACITY = 6;
const SUITE_TIMEOUT_MS = 60_000 + RUNS * 10_000;

type Command = fc.AsyncCommand<StoreModel, StoreBench>;

/** Steps that are written at once, so that they share a transaction. */
class Round implements Command {
  readonly #steps: readonly Step[];
  #written: readonly WriteCommand[] = [];

  constructor(steps: readonly Step[]) {
    this.#steps = steps;
  }

  check(): boolean {
    return true;
  }

  async run(model: StoreModel, bench: StoreBench): Promise<void> {
    const round = this.#steps.map((make) => {
      const command = make(model);
      return { command, expectation: model.apply(command) };
    });
    this.#written = round.map(({ command }) => command);
    await bench.write(round, model);
  }

  toString(): string {
    return this.#written.map(showCommand).join(" + ");
  }
}

class Wait implements Command {
  readonly #ms: number;

  constructor(ms: number) {
    this.#ms = ms;
  }

  check(): boolean {
    return true;
  }

  run(model: StoreModel): Promise<void> {
    model.clock.nowMs += this.#ms;
    return Promise.resolve();
  }

  toString(): string {
    return `wait ${this.#ms} ms`;
  }
}

class Restart implements Command {
  check(): boolean {
    return true;
  }

  async run(model: StoreModel, bench: StoreBench): Promise<void> {
    await compareStore(bench.store, model);
    await bench.restart();
    await compareStore(bench.store, model);
  }

  toString(): string {
    return "restart";
  }
}

const commands = fc.commands(
  [
    // Weights by repetition: `commands` chooses evenly.
    ...Array.from({ length: 20 }, () => step.map((one): Command => new Round([one]))),
    ...Array.from({ length: 12 }, () => fc.array(step, { minLength: 2, maxLength: 6 }).map((some) => new Round(some))),
    ...Array.from({ length: 8 }, () =>
      fc
        .tuple(fc.array(step, { minLength: 1, maxLength: 5 }), upkeep)
        .map(([some, last]) => new Round([...some, last])),
    ),
    ...Array.from({ length: 8 }, () => fc.constantFrom(1, 200, 600, 4000).map((ms) => new Wait(ms))),
    fc.constant(new Restart()),
  ],
  { maxCommands: MAX_COMMANDS, size: "max" },
);

/** What a store promises whatever is done to it in whatever order: it is what a plain model of it is. */
export function modelSuite(factory: StoreFactory): void {
  describe(`${factory.name}: any history`, function () {
    this.timeout(SUITE_TIMEOUT_MS);

    it("leaves the tasks, events, attempts, lists and counts that a plain model of the rules has", async () => {
      await fc.assert(
        fc.asyncProperty(commands, async (history) => {
          const clock = new FakeClock();
          const bench = new StoreBench(factory.createPlace({ queueCapacity: QUEUE_CAPACITY }));
          clock.install();
          try {
            await bench.start();
            const model = new StoreModel(clock, QUEUE_CAPACITY);
            await fc.asyncModelRun(() => ({ model, real: bench }), history);
            await compareStore(bench.store, model);
          } finally {
            clock.remove();
            await bench.close();
          }
        }),
        // A failure is not made smaller, which would open hundreds of databases: its seed brings it back.
        { numRuns: RUNS, endOnFailure: true },
      );
    });
  });
}
