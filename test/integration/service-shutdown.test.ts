import { expect } from "chai";
import { watchTask } from "#libs/client/service-methods.js";
import { TaskState, TaskwireClient } from "#libs/client/taskwire-client.js";
import { TaskwireError } from "#libs/errors/taskwire-error.js";
import {
  HealthCheckRequest,
  HealthCheckResponse,
  HealthCheckResponse_ServingStatus as Status,
  HealthService,
} from "#libs/proto/gen/grpc/health/v1/health.js";
import { Channel } from "#libs/rpc/channel.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { logLines } from "#test/support/log-lines.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";
import { until } from "#test/support/until.js";

const CREATES = 300;
const watchHealth = { path: HealthService.watch.path, request: HealthCheckRequest, response: HealthCheckResponse };

describe("When the service is told to stop while calls are under way", function () {
  this.timeout(120_000);
  let test: TestStack;
  let channel: Channel;

  beforeEach(async () => {
    test = await startTestStack({
      workerArgs: ["--tasks", fixturePath("flow-tasks.js")],
      workerEnv: { TASKWIRE_FREEZE_KILL_MS: "0" },
      serviceEnv: { TASKWIRE_SHUTDOWN_GRACE_MS: "60000", TASKWIRE_LEASE_MS: "60000" },
    });
    channel = new Channel({ address: test.address });
  });
  afterEach(async () => {
    channel?.close();
    await test?.stop();
  });

  /** Watches the health of the service until its stream ends. */
  function followHealth(): { readonly seen: Status[]; readonly end: Promise<string> } {
    const seen: Status[] = [];
    const follow = async () => {
      const service = "taskwire.v1.TaskService";
      for await (const { status } of channel.serverStream(watchHealth, { service })) seen.push(status);
      return "OK";
    };
    return { seen, end: follow().catch(codeOf) };
  }

  const untilSeen = (seen: readonly Status[], status: Status) =>
    until(`health says ${Status[status]}`, () => seen.at(-1) === status, 30_000);

  it("health says NOT_SERVING, watches end with UNAVAILABLE, a call under way is answered, nothing committed is lost", async () => {
    const { stack } = test;
    const [worker] = stack.workers;
    const client = new TaskwireClient({ address: test.address, batching: false, retryForMs: 0 });
    try {
      const { id } = await client.create("nobody.runs-this");
      const health = followHealth();
      await untilSeen(health.seen, Status.SERVING);
      const watched = (async () => {
        for await (const frame of channel.serverStream(watchTask, { id, afterSequence: 0, view: 0 })) void frame;
        return "OK";
      })().catch(codeOf);
      // Its answer has to wait for the worker.
      await worker?.kill("SIGSTOP");
      const ping = client.ping({ timeoutMs: 60_000 });
      const accepted: string[] = [];
      const creates = Array.from({ length: CREATES }, async () => {
        accepted.push((await client.create("nobody.runs-this")).id);
      }).map((create) => create.catch(codeOf));
      await until("a create is accepted", () => accepted.length > 0);

      await stack.service.kill("SIGTERM");
      await untilSeen(health.seen, Status.NOT_SERVING);
      expect(await health.end).to.equal("UNAVAILABLE");
      expect(await watched).to.equal("UNAVAILABLE");
      await worker?.kill("SIGCONT");
      expect((await ping).workerId).to.equal(worker?.ready.workerId);
      const refused = (await Promise.all(creates)).filter((code) => code !== undefined);
      expect(refused.filter((code) => code !== "UNAVAILABLE" && code !== "CANCELLED")).to.deep.equal([]);
      await stack.service.exited();
      const said = logLines(test.dataDir, "task-service").map(({ msg }) => msg);
      expect(said).to.include("task-service has stopped");

      await stack.service.start();
      for (const created of accepted) expect((await test.client.get(created)).state).to.equal(TaskState.PENDING);
    } finally {
      client.close();
    }
  });

  it("a second signal ends it at once, and nothing accepted is lost", async () => {
    const { client, stack } = test;
    const [worker] = stack.workers;
    const health = followHealth();
    await untilSeen(health.seen, Status.SERVING);
    const created = await Promise.all(Array.from({ length: 50 }, () => client.create("nobody.runs-this")));
    await worker?.kill("SIGSTOP");
    const ping = client.ping({ timeoutMs: 60_000 }).catch(codeOf);
    await client.get(created[0]?.id ?? "");
    await stack.service.kill("SIGTERM");
    await untilSeen(health.seen, Status.NOT_SERVING);
    expect(stack.service.pid, "it waits for the call under way").to.be.above(0);
    await stack.service.kill("SIGTERM");
    await stack.service.exited();
    expect(await ping).to.equal("UNAVAILABLE");
    await worker?.kill("SIGCONT");
    await stack.service.start();
    for (const { id } of created) expect((await client.get(id)).state).to.equal(TaskState.PENDING);
  });
});

function codeOf(error: unknown): string {
  if (!(error instanceof TaskwireError)) throw error;
  return error.code;
}
