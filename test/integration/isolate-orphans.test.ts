import { fork } from "node:child_process";
import { once } from "node:events";
import { expect } from "chai";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { isAlive } from "#test/support/child-processes.js";
import { until } from "#test/support/until.js";

describe("isolates of a worker that was killed", () => {
  it("end within seconds, even with a handler that spins", async () => {
    const owner = fork(fixturePath("isolate-owner.js"), [], { stdio: "ignore" });
    const [told] = (await once(owner, "message")) as [{ readonly pid: number }];
    expect(await isAlive(told.pid)).to.equal(true);
    owner.kill("SIGKILL");
    await until("the isolate is gone", async () => !(await isAlive(told.pid)), 5000);
  });
});
