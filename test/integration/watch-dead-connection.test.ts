import { watchTasks } from "#libs/client/service-methods.js";
import { WatchTasksRequest } from "#libs/proto/gen/taskwire/v1/task_service.js";
import { Channel } from "#libs/rpc/channel.js";
import { scrape } from "#test/support/scrape.js";
import { TcpProxy } from "#test/support/tcp-proxy.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";
import { until } from "#test/support/until.js";

const KEEPALIVE_MS = 1000;

describe("A watcher whose connection has died without a word (Bounded)", function () {
  this.timeout(60_000);
  let test: TestStack;
  let proxy: TcpProxy;
  let channel: Channel;

  before(async () => {
    test = await startTestStack({ workers: 0, serviceEnv: { TASKWIRE_KEEPALIVE_MS: String(KEEPALIVE_MS) } });
    proxy = new TcpProxy(Number(test.address.split(":")[1]));
    await proxy.start();
    channel = new Channel({ address: `127.0.0.1:${proxy.port}` });
  });
  after(async () => {
    channel?.close();
    await proxy?.stop();
    await test?.stop();
  });

  const watchers = async () => (await scrape(test.stack.httpUrl)).value("taskwire_watchers");

  it("is noticed by keepalive and forgotten, while nothing happens that would be sent to it", async () => {
    const abort = new AbortController();
    const request = WatchTasksRequest.create({ start: { $case: "fromNow", value: true } });
    const stream = channel.serverStream(watchTasks, request, { signal: abort.signal });
    await stream.next();
    const reading = stream.next().catch(() => undefined);
    await until("the service has a watcher", async () => (await watchers()) === 1);
    proxy.silence();
    await until("the service has forgotten it", async () => (await watchers()) === 0, 20_000);
    abort.abort();
    await reading;
  });
});
