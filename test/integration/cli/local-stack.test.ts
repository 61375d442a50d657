import { expect } from "chai";
import { isAlive } from "#test/support/child-processes.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";
import { until } from "#test/support/until.js";

describe("startLocalStack", function () {
  this.timeout(60_000);
  let stack: TestStack;

  before(async () => {
    stack = await startTestStack();
  });

  after(async () => {
    await stack.stop();
  });

  it("starts again after a kill on the same address, with what was accepted before", async () => {
    const { stack: processes, client, address } = stack;
    const waiting = await client.create("nobody.home", {}, { runTime: new Date(Date.now() + 3_600_000) });
    const before = processes.service.pid;
    await processes.service.kill();
    expect(await isAlive(before)).to.equal(false);
    await processes.service.start();
    expect(processes.service.pid).not.to.equal(before);
    expect(processes.address).to.equal(address);
    expect((await client.get(waiting.id)).id).to.equal(waiting.id);
  });

  it("starts NATS again on the same port, with or without its storage, and work flows again", async () => {
    const { stack: processes, client } = stack;
    for (const wipe of [false, true]) {
      await processes.nats.restart({ wipe });
      expect(await client.run("system.no_op")).to.deep.equal({});
    }
  });

  it("tells how NATS ended when nobody told it to", async () => {
    const { stack: processes, client } = stack;
    const ended: string[] = [];
    processes.onUnexpectedExit((name, how) => ended.push(`${name} ended with ${how}`));
    process.kill(processes.nats.pid, "SIGKILL");
    await until("the end is told", () => ended.length > 0);
    expect(ended).to.deep.equal(["nats-server ended with SIGKILL"]);
    await processes.nats.restart();
    expect(await client.run("system.no_op")).to.deep.equal({});
  });

  it("adds workers and tells when one ends that was not told to", async () => {
    const { stack: processes, client } = stack;
    const ended: string[] = [];
    processes.onUnexpectedExit((name, how) => ended.push(`${name} ${how}`));
    const worker = await processes.addWorker();
    expect((await client.workers()).map(({ id }) => id)).to.include(worker.ready.workerId);
    process.kill(worker.pid, "SIGKILL");
    await until("the end is told", () => ended.length > 0);
    expect(ended).to.deep.equal([`${worker.name} SIGKILL`]);
  });
});
