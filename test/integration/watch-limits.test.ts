import { expect } from "chai";
import { runTask, watchTask, watchTasks } from "#libs/client/service-methods.js";
import { TaskwireError } from "#libs/errors/taskwire-error.js";
import { RunTaskRequest, WatchTaskRequest, WatchTasksRequest } from "#libs/proto/gen/taskwire/v1/task_service.js";
import { Channel } from "#libs/rpc/channel.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";
import { until } from "#test/support/until.js";

const PER_CONNECTION = 3;
const IN_ALL = 5;

describe("Watch streams have limits, per connection and in all (Bounded)", function () {
  this.timeout(60_000);
  let test: TestStack;
  const channels: Channel[] = [];
  const abort = new AbortController();

  before(async () => {
    test = await startTestStack({
      workers: 0,
      serviceEnv: {
        TASKWIRE_MAX_WATCHES: String(IN_ALL),
        TASKWIRE_MAX_WATCHES_PER_CONNECTION: String(PER_CONNECTION),
      },
    });
  });
  after(async () => {
    abort.abort();
    for (const channel of channels) channel.close();
    await test?.stop();
  });

  function connect(): Channel {
    const channel = new Channel({ address: test.address, hasOwnConnection: true });
    channels.push(channel);
    return channel;
  }

  const open = (channel: Channel, signal: AbortSignal = abort.signal) =>
    channel.serverStream(watchTasks, WatchTasksRequest.create(), { signal }).next();

  async function refusalOf(promise: Promise<unknown>): Promise<TaskwireError> {
    const error = await rejectionOf(promise);
    if (!(error instanceof TaskwireError)) throw error;
    expect(error).to.include({ code: "RESOURCE_EXHAUSTED", reason: "TOO_MANY_WATCHES" });
    expect(error.retryAfterMs).to.be.above(0);
    return error;
  }

  it("refuses one too many of each kind with RetryInfo, creates nothing, and takes one again when one has gone", async () => {
    const task = await test.client.create("nobody.home");
    const first = connect();
    for (let count = 1; count < PER_CONNECTION; count += 1) await open(first);
    const leaving = new AbortController();
    await open(first, leaving.signal);
    const tooMany = await refusalOf(open(first));
    expect(tooMany.message).to.match(/this connection has 3 watch streams already/);
    await refusalOf(first.serverStream(watchTask, WatchTaskRequest.create({ id: task.id })).next());
    const requestId = "too-many";
    await refusalOf(
      first.serverStream(runTask, RunTaskRequest.fromPartial({ task: { type: "nobody.home" }, requestId })).next(),
    );
    const ids: string[] = [];
    for await (const { id } of test.client.list()) ids.push(id);
    expect(ids).to.deep.equal([task.id]);
    const second = connect();
    await open(second);
    await open(second);
    expect((await refusalOf(open(connect()))).message).to.match(/this service has 5 watch streams already/);
    leaving.abort();
    await until("there is room again", () =>
      open(first).then(
        () => true,
        () => false,
      ),
    );
  });
});
