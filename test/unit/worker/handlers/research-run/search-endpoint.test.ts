import type { ServerResponse } from "node:http";
import { expect } from "chai";
import { PartialFailure, RetryableError } from "#libs/define-task/define-task.js";
import { copiedDocuments } from "#test/support/copied-documents.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { startReceiver, type HttpReceiver } from "#test/support/http-receiver.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { researchResultOf } from "#test/support/research-result.js";
import { runHandler, type RunOptions } from "#test/support/run-handler.js";
import { until } from "#test/support/until.js";
import researchRun from "#worker/handlers/research-run.js";

const PAGE = {
  title: "Tides for sailors",
  url: "https://example.org/tides?page=1",
  text: "Sailors wait for the spring tide.\n\nThen the harbour is deep enough for a heavy ship.",
};

describe("research.run with a search endpoint", () => {
  let endpoint: HttpReceiver;
  let answer: (response: ServerResponse) => void;

  let directory: ReturnType<typeof freshDirectory>;
  let folder: string;

  before(async () => {
    directory = freshDirectory();
    folder = copiedDocuments(directory.path);
    endpoint = await startReceiver((response) => answer(response));
  });

  after(async () => {
    await endpoint.close();
    directory.remove();
  });

  const json = (body: unknown) => (response: ServerResponse) => response.end(JSON.stringify(body));
  const run = (payload: object = {}, settings: Record<string, string> = {}, options: RunOptions = {}) =>
    runHandler(
      researchRun,
      { query: "When is a harbour deep enough?", ...payload },
      { ...options, settings: { TASKWIRE_RESEARCH_SEARCH_URL: `${endpoint.url}/find?site=a`, ...settings } },
    );

  it("posts the query with its key, and cites what it finds beside the folder's documents", async () => {
    answer = json({ results: [PAGE, PAGE] });
    const { result } = await run({ folder }, { TASKWIRE_RESEARCH_SEARCH_KEY: "key-of-search" });
    const { report, sources, status } = researchResultOf(result);
    expect(status).to.equal("completed");
    expect(sources.map(({ path, url }) => path ?? url)).to.have.members([PAGE.url, "harbour.txt"]);
    expect(report).to.include("Then the harbour is deep enough for a heavy ship. [1]");
    expect(report).to.include(`1. ${PAGE.title} — <${PAGE.url}>`);
    const { method, path, headers, body } = endpoint.requests.at(-1) ?? expect.fail("nothing came");
    expect({ method, path, body: JSON.parse(body) as unknown }).to.deep.equal({
      method: "POST",
      path: "/find?site=a",
      body: { query: "When is a harbour deep enough?", limit: 6 },
    });
    expect(headers).to.include({ authorization: "Bearer key-of-search", "content-type": "application/json" });
  });

  it("asks with GET where the settings say so, and takes no more than it asked for", async () => {
    answer = json({
      results: Array.from({ length: 5 }, (_, index) => ({ ...PAGE, url: `https://example.org/${index}` })),
    });
    const { result } = await run({ maxSources: 2 }, { TASKWIRE_RESEARCH_SEARCH_METHOD: "GET" });
    expect(researchResultOf(result).sources.map(({ url }) => url)).to.deep.equal([
      "https://example.org/0",
      "https://example.org/1",
    ]);
    const { method, path, headers, body } = endpoint.requests.at(-1) ?? expect.fail("nothing came");
    expect({ method, path, body }).to.deep.equal({
      method: "GET",
      path: "/find?site=a&query=When+is+a+harbour+deep+enough%3F&limit=2",
      body: "",
    });
    expect(headers).not.to.have.property("authorization");
  });

  it("asks each question of a plan", async () => {
    answer = json({ results: [PAGE] });
    const before = endpoint.requests.length;
    await run({ query: "When is a harbour deep enough? Who waits for the tide?" });
    expect(endpoint.requests.slice(before).map(({ body }) => body)).to.deep.equal([
      '{"query":"When is a harbour deep enough?","limit":6}',
      '{"query":"Who waits for the tide?","limit":6}',
    ]);
  });

  it("is not asked when the payload forbids it", async () => {
    const before = endpoint.requests.length;
    await run({ folder, search: false });
    expect(endpoint.requests).to.have.lengthOf(before);
  });

  const failures: readonly (readonly [string, (response: ServerResponse) => void])[] = [
    ["status 503", (response) => response.writeHead(503, { "retry-after": "3" }).end()],
    ["redirect", (response) => response.writeHead(302, { location: "/" }).end()],
    ["no JSON", (response) => response.end("<html>")],
    ["another form", json({ results: [{ ...PAGE, url: "javascript:alert(1)" }] })],
    ["too large", (response) => response.end(Buffer.alloc(4 * 1024 * 1024 + 1, "x"))],
    ["broken off", (response) => response.write("{", () => response.destroy())],
  ];
  for (const [name, fail] of failures) {
    it(`completes with a warning when the endpoint fails (${name}) and the folder suffices, else may be tried again`, async () => {
      answer = fail;
      const partial = await rejectionOf(run({ folder }));
      expect(partial).to.be.instanceOf(PartialFailure);
      const { result, warnings } = partial as PartialFailure;
      expect(researchResultOf(result)).to.include({ status: "partial" });
      expect(warnings.map(({ code }) => code)).to.deep.equal(["SEARCH_UNAVAILABLE"]);
      expect(JSON.stringify(warnings)).not.to.include("deep enough");
      const error = await rejectionOf(run());
      expect(error).to.be.instanceOf(RetryableError).that.includes({ code: "SEARCH_UNAVAILABLE" });
      expect(error).to.have.property("retryAfterMs", name === "status 503" ? 3000 : undefined);
    });
  }

  it("gives up an endpoint that is too slow", async () => {
    answer = () => undefined;
    const error = await rejectionOf(run({}, { TASKWIRE_RESEARCH_SEARCH_TIMEOUT_MS: "20" }));
    expect(error).to.be.instanceOf(RetryableError).that.includes({ code: "SEARCH_UNAVAILABLE" });
  });

  it("stops within a search that hangs", async () => {
    answer = () => undefined;
    const before = endpoint.requests.length;
    const controller = new AbortController();
    const reason = new Error("cancelled in the test");
    const stopped = rejectionOf(run({ folder }, {}, { signal: controller.signal }));
    await until("the request that hangs", () => endpoint.requests.length > before);
    controller.abort(reason);
    expect(await stopped).to.equal(reason);
  });
});
