import { expect } from "chai";
import { FreshTasks } from "#task-service/dispatch/fresh-tasks.js";
import { sampleTask } from "#test/conformance/task-store/sample-task.js";

const MAX_TASKS = 20_000;
const LARGE = "x".repeat(256 * 1024);

describe("FreshTasks", () => {
  it("gives each task once", () => {
    const fresh = new FreshTasks();
    const tasks = [sampleTask(), sampleTask()];
    fresh.add(tasks);
    for (const task of tasks) {
      expect(fresh.take(task.id)).to.equal(task);
      expect(fresh.take(task.id)).to.equal(undefined);
    }
  });

  it("takes no more than 20,000 tasks, and more again once some are gone", () => {
    const fresh = new FreshTasks();
    const tasks = Array.from({ length: MAX_TASKS + 10 }, () => sampleTask());
    fresh.add(tasks);
    expect(tasks.filter(({ id }) => fresh.take(id) !== undefined).length).to.equal(MAX_TASKS);
    const one = sampleTask();
    fresh.add([one]);
    expect(fresh.take(one.id)).to.equal(one);
  });

  it("takes no more than 16 Mi characters of payload, whatever is taken out and put in", () => {
    const fresh = new FreshTasks();
    for (let round = 0; round < 3; round += 1) {
      const tasks = Array.from({ length: 100 }, () => sampleTask({ payloadJson: LARGE }));
      fresh.add(tasks);
      expect(tasks.filter(({ id }) => fresh.take(id) !== undefined).length).to.equal(64);
    }
  });
});
