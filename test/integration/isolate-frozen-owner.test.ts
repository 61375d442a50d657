import { fork } from "node:child_process";
import { once } from "node:events";
import { expect } from "chai";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { isAlive } from "#test/support/child-processes.js";
import { until } from "#test/support/until.js";

describe("isolates of a worker that is frozen (SIGSTOP)", () => {
  it("kill themselves and what they have started when their bound is over, and only if they have one", async () => {
    let patient = 0;
    const owner = fork(fixturePath("isolate-owner.js"), ["1000"], { stdio: "ignore" });
    try {
      const [told] = (await once(owner, "message")) as [
        { readonly patient: number; readonly others: readonly number[] },
      ];
      patient = told.patient;
      for (const pid of told.others) expect(await isAlive(pid)).to.equal(true);
      owner.kill("SIGSTOP");
      for (const pid of told.others) await until(`${pid} is gone`, async () => !(await isAlive(pid)), 5000);
      expect(await isAlive(patient)).to.equal(true);
    } finally {
      owner.kill("SIGKILL");
    }
    await until("the patient one is gone with its owner", async () => !(await isAlive(patient)), 5000);
  });
});
