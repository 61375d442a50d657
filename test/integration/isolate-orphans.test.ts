import { fork } from "node:child_process";
import { once } from "node:events";
import { expect } from "chai";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { isAlive } from "#test/support/child-processes.js";
import { until } from "#test/support/until.js";

describe("isolates of a worker that was killed", () => {
  it("end within seconds, even with a handler that spins, and take what it has started with them", async () => {
    const owner = fork(fixturePath("isolate-owner.js"), [], { stdio: "ignore" });
    const [told] = (await once(owner, "message")) as [{ readonly patient: number; readonly others: readonly number[] }];
    const pids = [told.patient, ...told.others];
    for (const pid of pids) expect(await isAlive(pid)).to.equal(true);
    owner.kill("SIGKILL");
    for (const pid of pids) await until(`${pid} is gone`, async () => !(await isAlive(pid)), 5000);
  });
});
