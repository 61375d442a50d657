import { join } from "node:path";
import { readFileSync } from "node:fs";
import { expect } from "chai";
import { PermanentError, RetryableError } from "#libs/define-task/define-task.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { startReceiver, type HttpReceiver } from "#test/support/http-receiver.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { runHandler } from "#test/support/run-handler.js";
import reportGenerate from "#worker/handlers/report-generate.js";

const PAGE = `<html><head><title>Tide &amp; time</title><script>var x = "no prose";</script></head><body><nav>Home</nav>
<h1>Tides</h1><p>The moon pulls the water of the sea towards itself.</p><p>An <b>ebb</b> follows every flood, <a href="/x">they say</a>.</p></body></html>`;

describe("a source of report.generate that is a URL", () => {
  let directory: ReturnType<typeof freshDirectory>;
  let server: HttpReceiver;
  let answer: { status?: number; headers?: Record<string, string>; body?: string | Buffer } | undefined;
  const run = async (path = "/page", settings: Record<string, string> = {}) => {
    const outputPath = join(directory.path, "report.md");
    const documents = [{ url: `${server.url}${path}` }, { text: "A text about tides." }];
    const env = { TASKWIRE_ALLOW_PRIVATE_ADDRESSES: "on", ...settings };
    const { result, progress } = await runHandler(
      reportGenerate,
      { topic: "tides", documents, outputPath, plan: [] },
      { settings: env },
    );
    return { result: Object(result) as Record<string, unknown>, progress, report: readFileSync(outputPath, "utf8") };
  };
  const skippedBecause = async (given: typeof answer, settings?: Record<string, string>) => {
    answer = given;
    const { result } = await run("/page", settings);
    return JSON.stringify(result["skipped"]);
  };

  before(async () => {
    directory = freshDirectory();
    server = await startReceiver((response) => {
      if (answer !== undefined) response.writeHead(answer.status ?? 200, answer.headers ?? {}).end(answer.body ?? "");
    });
  });

  after(async () => {
    await server.close();
    directory.remove();
  });

  it("is read as prose when it is a page", async () => {
    answer = { headers: { "content-type": "text/html; charset=utf-8" }, body: PAGE };
    const { report, result, progress } = await run("/page?key=secret");
    expect(result).to.include({ documents: 2, skippedCount: 0 });
    expect(report).to.include("Tide & time").and.include("> The moon pulls the water of the sea towards itself.");
    expect(report).not.to.include("no prose").and.not.include("Home");
    expect(progress[0]?.message).to.equal(`reading ${new URL(server.url).host}/page`);
  });

  for (const [where, headers, head] of [
    ["its header", { "content-type": "text/html;charset=EUC-KR" }, ""],
    ["the page itself", { "content-type": "text/html" }, '<meta charset="euc-kr">'],
  ] as const) {
    it(`is read in the encoding that ${where} names`, async () => {
      // "조석은 달이 만든다." in EUC-KR.
      const korean = Buffer.from("c1b6bcaec0ba20b4dec0cc20b8b8b5e7b4d92e", "hex");
      answer = { headers, body: Buffer.concat([Buffer.from(`${head}<p>`), korean, Buffer.from("</p>")]) };
      expect((await run()).report).to.include("조석은 달이 만든다.");
    });
  }

  it("is skipped with its reason when it is gone for good, no text, or leads elsewhere", async () => {
    expect(await skippedBecause({ status: 404 }))
      .to.include("SOURCE_REJECTED: ")
      .and.include("status 404");
    expect(await skippedBecause({ headers: { "content-type": "image/png" }, body: "x" })).to.include("NOT_TEXT: ");
    expect(await skippedBecause({ body: Buffer.from([0x61, 0xff]) })).to.include("invalid byte sequence");
    expect(await skippedBecause({ body: Buffer.from([0x61, 0]) })).to.include("NUL");
    expect(await skippedBecause({ headers: { "content-type": "text/plain; charset=klingon" }, body: "x" })).to.include(
      "encoding",
    );
    expect(await skippedBecause({ status: 302, headers: { location: "http://127.0.0.1/" } })).to.include(
      "OUTBOUND_REDIRECT",
    );
    expect(await skippedBecause({ body: "x".repeat(2 * 1024 * 1024 + 1) })).to.include("RESPONSE_TOO_LARGE");
    expect(await skippedBecause({ body: "x" }, { TASKWIRE_ALLOW_PRIVATE_ADDRESSES: "off" })).to.include(
      "ADDRESS_REFUSED",
    );
  });

  it("fails the attempt when it may be there later, with the wait that its server asks for", async () => {
    answer = { status: 503, headers: { "retry-after": "9" } };
    const error = await rejectionOf(run());
    expect(error).to.be.instanceOf(RetryableError).and.include({ code: "SOURCE_UNAVAILABLE", retryAfterMs: 9000 });
    answer = undefined;
    const late = await rejectionOf(run("/page", { TASKWIRE_REPORT_FETCH_TIMEOUT_MS: "50" }));
    expect(late).to.be.instanceOf(RetryableError).with.property("code", "OUTBOUND_TIMEOUT");
    expect(late).not.to.be.instanceOf(PermanentError);
  });
});
