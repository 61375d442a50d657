import { expect } from "chai";
import { HeldBackTasks } from "#task-service/dispatch/held-back-tasks.js";

const task = { id: "a", type: "t", key: 1, priority: 0, runTimeMs: 0, due: undefined };

describe("HeldBackTasks", () => {
  it("keeps a task whose turn comes and gives it back with the last of several holds", () => {
    const held = new HeldBackTasks();
    held.hold("a");
    held.hold("a");
    expect(held.keep(task)).to.equal(true);
    expect(held.letGo("a")).to.equal(undefined);
    expect(held.has("a")).to.equal(true);
    expect(held.letGo("a")).to.equal(task);
    expect(held.has("a")).to.equal(false);
  });

  it("keeps nothing that is not held, and forgets what is not due any more", () => {
    const held = new HeldBackTasks();
    expect(held.keep(task)).to.equal(false);
    held.hold("a");
    held.keep(task);
    held.drop("a");
    expect(held.letGo("a")).to.equal(undefined);
  });
});
