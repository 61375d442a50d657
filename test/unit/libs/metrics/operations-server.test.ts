import { expect } from "chai";
import { silentLogger } from "#libs/log/logger.js";
import { MetricSet, single } from "#libs/metrics/metric-set.js";
import { HTTP_OFF, OperationsServer } from "#libs/metrics/operations-server.js";
import { rejectionOf } from "#test/support/rejection-of.js";

describe("The HTTP port for operators", () => {
  let isReady = true;
  const metricsOfOne = () => {
    const metrics = new MetricSet();
    metrics.gauge({ name: "one", help: "One." }, () => single(1));
    return metrics;
  };
  const readiness = () => ({ isReady, parts: { database: isReady ? "writable" : "refuses writes" } });
  const create = () => new OperationsServer({ metrics: metricsOfOne(), readiness, logger: silentLogger() });
  let server: OperationsServer;
  let url: string;
  let port: number;

  before(async () => {
    server = create();
    port = await server.listen("127.0.0.1", 0);
    url = `http://127.0.0.1:${port}`;
  });
  after(() => server.stop());

  it("says that the process lives", async () => {
    expect((await fetch(`${url}/livez`)).status).to.equal(200);
  });

  it("says whether it is ready, with the parts", async () => {
    isReady = true;
    const ready = await fetch(`${url}/readyz?verbose`);
    expect([ready.status, await ready.json()]).to.deep.equal([200, { ready: true, database: "writable" }]);
    isReady = false;
    const unready = await fetch(`${url}/readyz`);
    expect([unready.status, await unready.json()]).to.deep.equal([503, { ready: false, database: "refuses writes" }]);
  });

  it("writes metrics as text of Prometheus", async () => {
    const response = await fetch(`${url}/metrics`);
    expect(response.headers.get("content-type")).to.include("text/plain; version=0.0.4");
    expect(await response.text()).to.include("\none 1\n");
  });

  it("refuses other paths and methods", async () => {
    expect((await fetch(`${url}/`)).status).to.equal(404);
    const posted = await fetch(`${url}/metrics`, { method: "POST", body: "x" });
    expect([posted.status, posted.headers.get("allow")]).to.deep.equal([405, "GET, HEAD"]);
  });

  it("says which port is taken and what to do", async () => {
    const error = await rejectionOf(create().listen("127.0.0.1", port));
    expect(error).to.include({ code: "FAILED_PRECONDITION", reason: "ADDRESS_IN_USE" });
    expect(String(error)).to.include(`127.0.0.1:${port}`).and.include("TASKWIRE_HTTP_PORT");
  });

  it("opens nothing when it is off, and stops as often as it is told to", async () => {
    const off = create();
    expect(await off.listen("127.0.0.1", HTTP_OFF)).to.equal(HTTP_OFF);
    await off.stop();
    const other = create();
    await other.listen("127.0.0.1", 0);
    await other.stop();
    await other.stop();
  });
});
