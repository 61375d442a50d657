import { expect } from "chai";
import { SuspectGate } from "#task-service/dispatch/suspect-gate.js";
import type { DueTask } from "#task-service/store/task-record.js";

const QUEUE = "default";

function due(id: string, workerLosses: number, queue = QUEUE, type = "test.sample"): DueTask {
  return {
    id,
    key: 1,
    type,
    queue,
    priority: 0,
    runTimeMs: 0,
    attempt: workerLosses,
    sequence: 1,
    workerLosses,
    payloadJson: "{}",
    maxAttempts: 0,
    softTimeoutMs: 0,
    hardTimeoutMs: 0,
    memoryBytes: 0,
  };
}

/** Types that a living worker has, and tasks that a worker has begun to run; by default every type, and no task. */
function newGate(around: { readonly types?: Set<string>; readonly started?: Set<string> } = {}): SuspectGate {
  return new SuspectGate({
    hasWorker: (_queue, type) => around.types?.has(type) ?? true,
    hasStarted: (id) => around.started?.has(id) ?? false,
  });
}

describe("SuspectGate", () => {
  it("lets tasks that lost fewer than two workers in a row pass, whoever else is out", () => {
    const gate = newGate();
    expect(gate.admit(due("suspect", 2))).to.equal(true);
    expect(gate.admit(due("fresh", 0))).to.equal(true);
    expect(gate.admit(due("lost-once", 1))).to.equal(true);
  });

  it("lets suspects out one at a time, in the order in which their turns came", () => {
    const gate = newGate();
    expect(gate.admit(due("a", 2))).to.equal(true);
    expect(gate.admit(due("b", 2))).to.equal(false);
    expect(gate.admit(due("c", 3))).to.equal(false);
    expect(gate.isWaiting(QUEUE, "b")).to.equal(true);
    expect(gate.next(QUEUE)).to.equal(undefined);
    gate.leave(QUEUE, "a");
    expect(gate.next(QUEUE)).to.include({ id: "b", due: undefined });
    expect(gate.isWaiting(QUEUE, "b")).to.equal(false);
    expect(gate.admit(due("b", 2))).to.equal(true);
    expect(gate.next(QUEUE)).to.equal(undefined);
  });

  it("lets no suspect wait for one of another queue", () => {
    const gate = newGate();
    expect(gate.admit(due("a", 2, "without-workers"))).to.equal(true);
    expect(gate.admit(due("b", 2))).to.equal(true);
    expect(gate.admit(due("c", 2))).to.equal(false);
    gate.leave("without-workers", "b");
    expect(gate.next(QUEUE), "b is still out").to.equal(undefined);
    gate.leave(QUEUE, "b");
    expect(gate.next(QUEUE)).to.include({ id: "c" });
    expect(gate.next("without-workers")).to.equal(undefined);
  });

  it("admits the suspect that is out again: its dispatch had failed", () => {
    const gate = newGate();
    expect(gate.admit(due("a", 2))).to.equal(true);
    expect(gate.admit(due("a", 2))).to.equal(true);
  });

  it("forgets a waiting suspect that is not due any more", () => {
    const gate = newGate();
    gate.noteOut(due("a", 2));
    expect(gate.admit(due("b", 2))).to.equal(false);
    gate.leave(QUEUE, "b");
    gate.leave(QUEUE, "a");
    expect(gate.next(QUEUE)).to.equal(undefined);
  });

  it("lets nobody wait for a suspect whose type no living worker has, unless it runs", () => {
    const [types, started] = [new Set(["a", "c"]), new Set<string>()];
    const gate = newGate({ types, started });
    expect(gate.admit(due("a", 2, QUEUE, "a"))).to.equal(true);
    expect(gate.admit(due("c", 2, QUEUE, "c"))).to.equal(false);
    types.delete("a");
    started.add("a");
    expect(gate.next(QUEUE), "a runs at a worker that takes no more").to.equal(undefined);
    started.delete("a");
    expect(gate.next(QUEUE)).to.include({ id: "c" });
    expect(gate.admit(due("c", 2, QUEUE, "c"))).to.equal(true);
  });

  it("gives the turn of one whose type has no worker to the next one, and keeps it", () => {
    const types = new Set(["a", "b", "c"]);
    const gate = newGate({ types });
    for (const type of types) gate.admit(due(type, 2, QUEUE, type));
    types.delete("b");
    gate.leave(QUEUE, "a");
    expect(gate.next(QUEUE)).to.include({ id: "c" });
    expect(gate.isWaiting(QUEUE, "b")).to.equal(true);
    expect(gate.next(QUEUE)).to.equal(undefined);
    types.add("b");
    expect(gate.next(QUEUE)).to.include({ id: "b" });
  });
});
