import { expect } from "chai";
import { silentLogger } from "#libs/log/logger.js";
import {
  ListWorkersRequest,
  ListWorkersResponse,
  PingRequest,
  PingResponse,
  Worker,
  WorkerServiceService,
} from "#libs/proto/gen/taskwire/v1/worker_service.js";
import { GrpcServer } from "#libs/rpc/grpc-server.js";
import { Health } from "#libs/rpc/health.js";
import { unary } from "#libs/rpc/service-definition.js";
import { checkService } from "#cli/doctor/service-check.js";

/** A service whose clock, and its worker's, are ahead of ours by so much. */
async function findings(serviceAheadMs: number, workerAheadMs: number): Promise<string[]> {
  const server = new GrpcServer({ logger: silentLogger() });
  const health = new Health(server, ["taskwire.v1.TaskService", "taskwire.v1.WorkerService"]);
  health.setAll(true);
  const now = () => Date.now() + serviceAheadMs;
  server.addService(WorkerServiceService, {
    listWorkers: unary(ListWorkersRequest, ListWorkersResponse, () => {
      const lastSeenTime = new Date(now() - 500);
      const lastSentTime = new Date(lastSeenTime.getTime() + workerAheadMs);
      const worker = Worker.fromPartial({
        id: "w1",
        hostname: "host",
        pid: 7,
        queues: ["a"],
        lastSeenTime,
        lastSentTime,
      });
      return { workers: [worker], time: new Date(now()) };
    }),
    ping: unary(PingRequest, PingResponse, () => ({ workerId: "w1", roundTrip: { seconds: 0, nanos: 1 } })),
  });
  const port = await server.listen("127.0.0.1", 0);
  try {
    const { results, queues } = await checkService(`127.0.0.1:${port}`, 3000);
    expect(queues).to.deep.equal(["a"]);
    return results.filter(({ status }) => status === "wrong").map(({ name, found }) => `${name}: ${found}`);
  } finally {
    await server.stop(0);
  }
}

describe("What the doctor says about clocks", () => {
  it("is nothing within two seconds", async () => {
    expect(await findings(0, 0)).to.deep.equal([]);
    expect(await findings(1000, -1900)).to.deep.equal([]);
  });

  it("names the service's clock when it is further away", async () => {
    const [wrong, ...others] = await findings(-10_000, 0);
    expect(wrong).to.match(/^clock: the task-service's is (9|10)\d{3,4} ms behind$/);
    expect(others).to.deep.equal([]);
  });

  it("names the clock of a worker, compared with the service's", async () => {
    expect(await findings(0, 5000)).to.deep.equal([
      "clock of worker w1: host:7's, compared with the task-service's is 5000 ms ahead",
    ]);
  });
});
