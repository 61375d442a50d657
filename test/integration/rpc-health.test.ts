import { expect } from "chai";
import { silentLogger } from "#libs/log/logger.js";
import {
  HealthCheckRequest,
  HealthCheckResponse,
  HealthCheckResponse_ServingStatus as Status,
  HealthListRequest,
  HealthListResponse,
  HealthService,
} from "#libs/proto/gen/grpc/health/v1/health.js";
import { Channel } from "#libs/rpc/channel.js";
import { GrpcServer } from "#libs/rpc/grpc-server.js";
import { Health } from "#libs/rpc/health.js";
import { rejectionOf } from "#test/support/rejection-of.js";

const check = { path: HealthService.check.path, request: HealthCheckRequest, response: HealthCheckResponse };
const watch = { ...check, path: HealthService.watch.path };
const list = { path: HealthService.list.path, request: HealthListRequest, response: HealthListResponse };

describe("rpc health", () => {
  let server: GrpcServer;
  let health: Health;
  let channel: Channel;

  beforeEach(async () => {
    server = new GrpcServer({ logger: silentLogger() });
    health = new Health(server, ["taskwire.v1.TaskService"]);
    channel = new Channel({ address: `127.0.0.1:${await server.listen("127.0.0.1", 0)}` });
  });

  afterEach(async () => {
    channel.close();
    await server.stop(0);
  });

  it("answers Check and List as it was told", async () => {
    expect(await channel.unary(check, { service: "" })).to.deep.equal({ status: Status.NOT_SERVING });
    health.setAll(true);
    health.set("taskwire.v1.TaskService", false);
    expect(await channel.unary(check, { service: "" })).to.deep.equal({ status: Status.SERVING });
    expect(await channel.unary(list, {})).to.deep.equal({
      statuses: { "": { status: Status.SERVING }, "taskwire.v1.TaskService": { status: Status.NOT_SERVING } },
    });
  });

  it("refuses to check a service it does not know", async () => {
    expect(await rejectionOf(channel.unary(check, { service: "nothing" }))).to.include({
      code: "NOT_FOUND",
      reason: "SERVICE_UNKNOWN",
    });
  });

  it("streams changes and ends when the server stops", async () => {
    const statuses = channel.serverStream(watch, { service: "taskwire.v1.TaskService" });
    expect((await statuses.next()).value).to.deep.equal({ status: Status.NOT_SERVING });
    health.setAll(true);
    health.setAll(true);
    expect((await statuses.next()).value).to.deep.equal({ status: Status.SERVING });
    const stopped = server.stop(5000);
    expect((await statuses.next()).value).to.deep.equal({ status: Status.NOT_SERVING });
    expect(await rejectionOf(statuses.next())).to.include({ code: "UNAVAILABLE", reason: "SERVICE_STOPPING" });
    await stopped;
  });

  it("keeps a watch of an unknown service open", async () => {
    const statuses = channel.serverStream(watch, { service: "later" });
    expect((await statuses.next()).value).to.deep.equal({ status: Status.SERVICE_UNKNOWN });
    health.set("later", true);
    expect((await statuses.next()).value).to.deep.equal({ status: Status.SERVING });
    await statuses.return();
  });
});
