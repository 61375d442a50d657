import { expect } from "chai";
import { explainedBy, reasonsOf, valueOf } from "#test/support/explained.js";
import { endOf } from "#test/support/follow-task.js";
import { ForeignWorker } from "#test/support/foreign-worker.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";

const TYPE = "foreign.keep";

describe("ExplainTask tells of a dispatch that a worker was handed and does not start", function () {
  this.timeout(90_000);
  let test: TestStack;
  let worker: ForeignWorker;

  before(async () => {
    test = await startTestStack({
      workers: 0,
      serviceEnv: { TASKWIRE_REDISPATCH_MS: "1000", TASKWIRE_LEASE_MS: "3000" },
    });
    worker = new ForeignWorker(test.stack.natsUrl, [TYPE]);
    await worker.start(4);
  });
  after(async () => {
    await worker?.stop();
    await test?.stop();
  });

  it("that it is out of NATS, then that it is dispatched again, and that a cancel is not answered", async () => {
    const { client } = test;
    const { id } = await client.create(TYPE);
    const out = await explainedBy(client, id, "dispatched", ({ handedOut }) => handedOut);
    expect(reasonsOf(out)).to.deep.equal(["dispatched"]);
    expect(valueOf(out, "dispatched")).to.deep.include({ attempt: 1, confirmed: true });
    expect(out.summary).to.match(/: attempt 1 was handed to NATS \d+ s ago.*: it is with a worker or lost\.$/);
    const again = await explainedBy(client, id, "dispatched", ({ repeats }) => repeats > 0);
    expect(again.summary).to.match(/ ago, for the (2nd|3rd) time, and no worker has started it: /);
    const { cancelRequestTime: requestTime } = await client.cancel(id);
    const cancelling = await client.explain(id);
    expect(reasonsOf(cancelling)).to.deep.equal(["cancelRequest", "dispatched"]);
    expect(valueOf(cancelling, "cancelRequest")).to.deep.equal({ requestTime, reason: "" });
    await endOf(client, id);
  });
});
