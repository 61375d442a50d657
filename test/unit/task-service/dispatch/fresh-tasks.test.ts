import { expect } from "chai";
import { FreshTasks } from "#task-service/dispatch/fresh-tasks.js";
import { sampleTask } from "#test/conformance/task-store/sample-task.js";

const MAX_TASKS = 20_000;
const LARGE = "x".repeat(256 * 1024);

describe("FreshTasks", () => {
  it("gives each task once, with the key of its row", () => {
    const fresh = new FreshTasks();
    const tasks = [sampleTask(), sampleTask()];
    fresh.add(tasks);
    for (const [index, task] of tasks.entries()) {
      const { id, payloadJson, runTimeMs } = task;
      expect(fresh.take(id, index + 7)).to.include({ id, payloadJson, runTimeMs, key: index + 7, attempt: 0 });
      expect(fresh.take(id, index + 7)).to.equal(undefined);
    }
  });

  it("takes no more than 20,000 tasks, and more again once some are gone", () => {
    const fresh = new FreshTasks();
    const tasks = Array.from({ length: MAX_TASKS + 10 }, () => sampleTask());
    fresh.add(tasks);
    expect(tasks.filter(({ id }) => fresh.take(id, 1) !== undefined).length).to.equal(MAX_TASKS);
    const one = sampleTask();
    fresh.add([one]);
    expect(fresh.take(one.id, 1)?.id).to.equal(one.id);
  });

  it("takes no more than 16 Mi characters of payload, whatever is taken out and put in", () => {
    const fresh = new FreshTasks();
    for (let round = 0; round < 3; round += 1) {
      const tasks = Array.from({ length: 100 }, () => sampleTask({ payloadJson: LARGE }));
      fresh.add(tasks);
      expect(tasks.filter(({ id }) => fresh.take(id, 1) !== undefined).length).to.equal(64);
    }
  });
});
