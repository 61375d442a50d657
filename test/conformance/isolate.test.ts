import { expect } from "chai";
import type { Isolate } from "#worker/isolate/isolate.js";
import type { PooledIsolate } from "#worker/isolate/isolate-pool.js";
import {
  begin,
  inlineIsolate,
  MIB,
  outcomeOf,
  processIsolate,
  threadIsolate,
} from "#test/fixtures/tasks/fixture-isolates.js";
import { until } from "#test/support/until.js";

const kinds: readonly { readonly name: string; readonly create: () => Promise<Isolate> }[] = [
  { name: "process", create: processIsolate },
  { name: "thread", create: threadIsolate },
  { name: "inline", create: inlineIsolate },
];

for (const { name, create } of kinds) {
  describe(`an isolate (${name})`, () => {
    let isolate: Isolate;

    beforeEach(async () => {
      isolate = await create();
    });

    afterEach(() => isolate.close());

    it("returns what the handler returns", async () => {
      const outcome = await outcomeOf(isolate, "echo", { text: "안녕", list: [1, null, true] });
      expect(outcome).to.deep.equal({
        kind: "succeeded",
        resultJson: '{"text":"안녕","list":[1,null,true]}',
        warnings: [],
      });
    });

    it("tells the handler about its attempt", async () => {
      const outcome = await outcomeOf(isolate, "context");
      const expected = {
        taskId: "0199aaaa-0000-7000-8000-000000000001",
        attempt: 2,
        maxAttempts: 5,
        deadline: 1_800_000_000_000,
      };
      expect(outcome).to.deep.include({ kind: "succeeded", resultJson: JSON.stringify(expected) });
    });

    it("runs one attempt after another", async () => {
      for (let count = 0; count < 20; count += 1) {
        expect(await outcomeOf(isolate, "echo", { count })).to.deep.include({ resultJson: `{"count":${count}}` });
      }
      expect(isolate.usable).to.equal(true);
    });

    it("reports what the handler threw, and goes on", async () => {
      const outcome = await outcomeOf(isolate, "throw");
      expect(outcome).to.deep.nested.include({
        kind: "failed",
        "error.code": "HANDLER_ERROR",
        "error.message": "Claude API timeout",
      });
      expect(outcome).to.deep.nested.include({ "error.retryable": true });
      expect(await outcomeOf(isolate, "echo")).to.deep.include({ kind: "succeeded" });
    });

    it("refuses a type it does not have", async () => {
      expect(await outcomeOf(isolate, "nobody-wrote-this")).to.deep.include({ kind: "refused", code: "UNKNOWN_TYPE" });
    });

    it("hears progress, lines and output in their order", async () => {
      const { outcome, progress, logs, outputs } = begin(isolate, "speak");
      expect(await outcome).to.deep.include({ kind: "succeeded", resultJson: '"spoken"' });
      expect(progress).to.deep.equal([
        {
          fraction: 0.25,
          message: "a quarter",
          ...(name === "process" ? {} : { current: undefined, total: undefined }),
        },
        { current: 3, total: 4, message: "", ...(name === "process" ? {} : { fraction: undefined }) },
      ]);
      expect(logs).to.deep.equal([{ level: 2, message: "first line", fieldsJson: '{"answer":42}', capped: false }]);
      expect(outputs).to.deep.equal([
        { name: "greeting", text: "hello ", offset: 0, capped: false },
        { name: "greeting", text: "world", offset: 6, capped: false },
      ]);
    });

    it("cuts a flood to its caps and says so", async () => {
      const { outcome, progress, logs, outputs } = begin(isolate, "spam");
      await outcome;
      expect(logs).to.have.length(50);
      expect(logs.map((line) => line.capped)).to.deep.equal([...Array.from({ length: 49 }, () => false), true]);
      expect(outputs.reduce((sum, chunk) => sum + chunk.text.length, 0)).to.equal(5000);
      expect(outputs.filter((chunk) => chunk.capped)).to.deep.equal([outputs.at(-1)]);
      expect(progress.length).to.be.greaterThan(0).and.lessThan(500);
      expect(progress.at(-1)?.fraction).to.equal(19_999 / 20_000);
    });

    it("does not hear what an ended attempt left running", async () => {
      const { outcome, logs } = begin(isolate, "leave-running");
      await outcome;
      const next = begin(isolate, "sleep", { ms: 50 });
      await next.outcome;
      expect([...logs, ...next.logs]).to.deep.equal([]);
    });

    it("fires the handler's signal with the reason", async () => {
      const { run, outcome, aborts } = begin(isolate, "abort-reason");
      run.abort("cancelled", "no longer wanted");
      expect(await outcome).to.deep.include({ resultJson: '{"name":"AbortError","cause":"cancelled"}' });
      expect(aborts).to.deep.equal(["cancelled"]);
      expect(run.ended).to.equal(true);
    });

    it("answers each abort, also after the signal has fired", async () => {
      const { run, aborts } = begin(isolate, "ignore-abort", { ms: 600_000 });
      for (const cause of ["soft-timeout", "cancelled"] as const) run.abort(cause, "");
      await until("both are answered", () => aborts.length >= 2);
      expect(aborts).to.deep.equal(["soft-timeout", "cancelled"]);
      expect(run.ended).to.equal(false);
    });

    it("says nothing of an abort that nobody asked for", async () => {
      const { outcome, aborts } = begin(isolate, "echo");
      await outcome;
      expect(aborts).to.deep.equal([]);
    });

    it("ends a handler that ignores its signal when killed", async () => {
      const { run, outcome } = begin(isolate, "ignore-abort", { ms: 600_000 });
      run.abort("cancelled", "");
      run.kill();
      expect(await outcome).to.deep.include({ kind: "died", cause: "killed" });
    }).timeout(5000);

    it("ends what still runs when it is closed", async () => {
      const { outcome } = begin(isolate, "ignore-abort", { ms: 600_000 });
      await isolate.close();
      expect(await outcome).to.deep.include({ kind: "died", cause: "killed" });
      expect(isolate.usable).to.equal(false);
    });
  });
}

const killable: readonly { readonly name: string; readonly create: () => Promise<PooledIsolate> }[] = [
  { name: "process", create: processIsolate },
  { name: "thread", create: threadIsolate },
];

for (const { name, create } of killable) {
  describe(`an isolate that can be killed (${name})`, () => {
    let isolate: PooledIsolate;
    let isGone: boolean;

    beforeEach(async () => {
      isolate = await create();
      isGone = false;
      void isolate.gone.then(() => (isGone = true));
    });

    /** Lets everything that is known already be told. */
    const turnOfEventLoop = () => new Promise((resolve) => setImmediate(resolve));

    it("tells the end of an aborted handler when it is gone itself, and is not used again", async () => {
      for (const [name, kind] of [
        ["sleep", "failed"],
        ["abort-reason", "succeeded"],
      ] as const) {
        const { run, outcome } = begin(isolate, name, { ms: 600_000 });
        run.abort("cancelled", "");
        expect(await outcome).to.include({ kind });
        await turnOfEventLoop();
        expect(isGone, "it is gone").to.equal(true);
        expect(isolate.usable).to.equal(false);
        isolate = await create();
        isGone = false;
        void isolate.gone.then(() => (isGone = true));
      }
    });

    it("tells that a handler threw and left something running when it is gone itself", async () => {
      expect(await outcomeOf(isolate, "throw-and-leave")).to.include({ kind: "failed" });
      await turnOfEventLoop();
      expect(isGone, "it is gone").to.equal(true);
      expect(isolate.usable).to.equal(false);
    });

    it("does not answer an abort while its handler spins", async () => {
      const { run, outcome, aborts, progress } = begin(isolate, "spin");
      if (name === "process") await until("the handler spins", () => progress.length > 0);
      run.abort("cancelled", "");
      run.kill();
      await outcome;
      expect(aborts).to.deep.equal([]);
    });

    afterEach(() => isolate.close());

    it("stops a handler that spins", async () => {
      const { run, outcome, progress } = begin(isolate, "spin");
      if (name === "process") await until("the handler spins", () => progress.length > 0);
      run.kill();
      expect(await outcome).to.deep.include({ kind: "died", cause: "killed" });
      expect(isolate.usable).to.equal(false);
    });

    it("takes one attempt at a time", async () => {
      const { run, outcome } = begin(isolate, "ignore-abort", { ms: 600_000 });
      expect(isolate.usable).to.equal(false);
      expect(() => begin(isolate, "echo")).to.throw("cannot take an attempt now");
      run.kill();
      await outcome;
    });

    it("tells a crash by its exit code", async () => {
      expect(await outcomeOf(isolate, "crash", { code: 3 })).to.deep.include({
        kind: "died",
        cause: "crashed",
        exitCode: 3,
      });
      expect(isolate.usable).to.equal(false);
    });

    it("takes process.exit(0) for a crash too", async () => {
      expect(await outcomeOf(isolate, "crash", { code: 0 })).to.deep.include({
        kind: "died",
        cause: "crashed",
        exitCode: 0,
      });
    });

    it("keeps the stack of an error that nobody caught", async () => {
      const outcome = await outcomeOf(isolate, "uncaught");
      expect(outcome).to.deep.include({ kind: "died", cause: "crashed", exitCode: 1 });
      expect(outcome).to.have.property("stderrTail").that.includes("nobody catches this");
    });
  });
}

describe("a thread isolate", () => {
  it("holds a handler to its heap cap", async () => {
    const isolate = await threadIsolate(32 * MIB);
    expect(await outcomeOf(isolate, "eat-heap")).to.deep.include({ kind: "died", cause: "out-of-memory" });
    await isolate.close();
  }).timeout(30_000);
});
