import { expect } from "chai";
import { TaskState } from "#libs/tasks/task-state.js";
import { LeaseBench } from "#test/support/lease-bench.js";

const LEASE_MS = 300;
/** Every loss that a task is blamed for ends it. */
const POISON_LOSSES = 1;

describe("A task is POISONED only for a worker that was lost while nothing ran beside it (Accounted attempts)", () => {
  let bench: LeaseBench;

  beforeEach(async () => {
    bench = await LeaseBench.start({ leaseMs: LEASE_MS, poisonLosses: POISON_LOSSES });
  });
  afterEach(() => bench.stop());

  const codeOf = async (id: string) => (await bench.task(id)).error?.code;

  it("neither of two whose leases end in one round", async () => {
    const ids = [await bench.runningTask(), await bench.runningTask()];
    await bench.passes(LEASE_MS + 10);
    await bench.keeper.runOnce();
    for (const id of ids) expect(await codeOf(id)).to.equal("WORKER_LOST");
  });

  it("neither of two whose leases end in different rounds", async () => {
    const first = await bench.runningTask();
    await bench.passes(LEASE_MS / 2);
    const second = await bench.runningTask();
    await bench.passes(LEASE_MS / 2 + 10);
    await bench.keeper.runOnce();
    expect(await codeOf(first)).to.equal("WORKER_LOST");
    expect((await bench.task(second)).state).to.equal(TaskState.RUNNING);
    await bench.passes(LEASE_MS / 2 + 10);
    await bench.keeper.runOnce();
    expect(await codeOf(second)).to.equal("WORKER_LOST");
  });

  it("one that was alone, though its worker had lost another attempt long before", async () => {
    const [first, second] = [await bench.runningTask(), await bench.runningTask()];
    await bench.passes(LEASE_MS / 2);
    bench.hear([second]);
    await bench.passes(LEASE_MS / 2 + 10);
    await bench.keeper.runOnce();
    expect(await codeOf(first)).to.equal("WORKER_LOST");
    bench.hear([second]);
    await bench.passes(LEASE_MS - 50);
    bench.hear([second]);
    await bench.passes(LEASE_MS + 10);
    await bench.keeper.runOnce();
    expect(await codeOf(second)).to.equal("POISONED");
  });
});
