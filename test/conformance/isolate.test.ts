import { getPriority } from "node:os";
import { expect } from "chai";
import { deferred } from "#libs/async/deferred.js";
import type { TaskDefinition } from "#libs/define-task/define-task.js";
import { silentLogger } from "#libs/log/logger.js";
import type { Isolate, IsolateOutcome, IsolateRun, LogClaim, OutputClaim, ProgressClaim, RunOrder } from "#worker/isolate/isolate.js";
import { InlineIsolate } from "#worker/isolate/inline-isolate.js";
import { MemoryWatch } from "#worker/isolate/memory-watch.js";
import { ProcessIsolate } from "#worker/isolate/process-isolate.js";
import { ThreadIsolate } from "#worker/isolate/thread-isolate.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import inlineTasks from "#test/fixtures/tasks/inline-tasks.js";
import { isAlive } from "#test/support/child-processes.js";
import { until } from "#test/support/until.js";

const MIB = 1024 * 1024;
const SPEECH = { progressIntervalMs: 20, logLines: 50, logBytes: 10_000, outputBytes: 5000 };

interface Watched {
  readonly run: IsolateRun;
  readonly outcome: Promise<IsolateOutcome>;
  readonly progress: ProgressClaim[];
  readonly logs: LogClaim[];
  readonly outputs: OutputClaim[];
}

function begin(isolate: Isolate, name: string, payload: object = {}): Watched {
  const ended = deferred<IsolateOutcome>();
  const progress: ProgressClaim[] = [];
  const logs: LogClaim[] = [];
  const outputs: OutputClaim[] = [];
  const order: RunOrder = {
    type: `${isolate.isolation}.${name}`,
    taskId: "0199aaaa-0000-7000-8000-000000000001",
    attempt: 2,
    maxAttempts: 5,
    payloadJson: JSON.stringify(payload),
    deadlineMs: 1_800_000_000_000,
    speech: SPEECH,
  };
  const run = isolate.begin(order, {
    onProgress: (claim) => progress.push(claim),
    onLog: (claim) => logs.push(claim),
    onOutput: (claim) => outputs.push(claim),
    onEnd: ended.resolve,
  });
  return { run, outcome: ended.promise, progress, logs, outputs };
}

function outcomeOf(isolate: Isolate, name: string, payload: object = {}): Promise<IsolateOutcome> {
  return begin(isolate, name, payload).outcome;
}

const memoryWatch = new MemoryWatch();

async function processIsolate(memoryBytes = 256 * MIB): Promise<ProcessIsolate> {
  const modules = [fixturePath("process-tasks.js")];
  const isolate = new ProcessIsolate({ modules, memoryBytes, nice: 10, memoryWatch, logger: silentLogger() });
  await isolate.ready();
  return isolate;
}

async function threadIsolate(memoryBytes = 64 * MIB): Promise<ThreadIsolate> {
  const isolate = new ThreadIsolate({ modules: [fixturePath("thread-tasks.js")], memoryBytes, nice: 10, logger: silentLogger() });
  await isolate.ready();
  return isolate;
}

function inlineIsolate(): Promise<InlineIsolate> {
  return Promise.resolve(new InlineIsolate(new Map(inlineTasks.map((task: TaskDefinition) => [task.type, task]))));
}

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
      expect(outcome).to.deep.equal({ kind: "succeeded", resultJson: '{"text":"안녕","list":[1,null,true]}', warnings: [] });
    });

    it("tells the handler about its attempt", async () => {
      const outcome = await outcomeOf(isolate, "context");
      const expected = { taskId: "0199aaaa-0000-7000-8000-000000000001", attempt: 2, maxAttempts: 5, deadline: 1_800_000_000_000 };
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
      expect(outcome).to.deep.nested.include({ kind: "failed", "error.code": "HANDLER_ERROR", "error.message": "Claude API timeout" });
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
        { fraction: 0.25, message: "a quarter", ...(name === "process" ? {} : { current: undefined, total: undefined }) },
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
      const { run, outcome } = begin(isolate, "abort-reason");
      run.abort("cancelled", "no longer wanted");
      run.abort("shutdown", "too late to matter");
      expect(await outcome).to.deep.include({ resultJson: '{"name":"AbortError","cause":"cancelled"}' });
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

for (const { name, create } of kinds.slice(0, 2)) {
  describe(`an isolate that can be killed (${name})`, () => {
    let isolate: Isolate;

    beforeEach(async () => {
      isolate = await create();
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
      expect(await outcomeOf(isolate, "crash", { code: 3 })).to.deep.include({ kind: "died", cause: "crashed", exitCode: 3 });
      expect(isolate.usable).to.equal(false);
    });

    it("takes process.exit(0) for a crash too", async () => {
      expect(await outcomeOf(isolate, "crash", { code: 0 })).to.deep.include({ kind: "died", cause: "crashed", exitCode: 0 });
    });

    it("keeps the stack of an error that nobody caught", async () => {
      const outcome = await outcomeOf(isolate, "uncaught");
      expect(outcome).to.deep.include({ kind: "died", cause: "crashed", exitCode: 1 });
      expect(outcome).to.have.property("stderrTail").that.includes("nobody catches this");
    });
  });
}

describe("a process isolate", () => {
  it("holds a handler to its heap cap", async () => {
    const isolate = await processIsolate(48 * MIB);
    expect(await outcomeOf(isolate, "eat-heap")).to.deep.include({ kind: "died", cause: "out-of-memory" });
    await isolate.close();
  }).timeout(30_000);

  it("counts Buffers", async () => {
    const isolate = await processIsolate(64 * MIB);
    expect(await outcomeOf(isolate, "eat-buffers")).to.deep.include({ kind: "died", cause: "out-of-memory" });
    await isolate.close();
  });

  it("runs at a lower priority", async () => {
    const isolate = await processIsolate();
    expect(getPriority(isolate.pid)).to.equal(10);
    await isolate.close();
  });

  it("leaves no process behind", async () => {
    const isolate = await processIsolate();
    const pid = isolate.pid ?? 0;
    begin(isolate, "spin");
    await isolate.close();
    expect(await isAlive(pid)).to.equal(false);
  });

  it("ignores the terminal's Ctrl-C", async () => {
    const isolate = await processIsolate();
    const { outcome } = begin(isolate, "sleep", { ms: 200 });
    process.kill(isolate.pid ?? 0, "SIGINT");
    process.kill(isolate.pid ?? 0, "SIGTERM");
    expect(await outcome).to.deep.include({ kind: "succeeded" });
    await isolate.close();
  });

  it("does not believe a handler that forges messages", async () => {
    const isolate = await processIsolate();
    const { outcome, logs } = begin(isolate, "forger");
    expect(await outcome).to.deep.include({ kind: "succeeded", resultJson: '"honest"' });
    expect(logs).to.deep.equal([]);
    await isolate.close();
  });

  it("keeps the last words of a crash", async () => {
    const isolate = await processIsolate();
    expect(await outcomeOf(isolate, "crash", { code: 1 })).to.deep.include({ stderrTail: "last words" });
    await isolate.close();
  });
});

describe("a thread isolate", () => {
  it("holds a handler to its heap cap", async () => {
    const isolate = await threadIsolate(32 * MIB);
    expect(await outcomeOf(isolate, "eat-heap")).to.deep.include({ kind: "died", cause: "out-of-memory" });
    await isolate.close();
  }).timeout(30_000);
});

describe("what a handler returns or throws", () => {
  let isolate: ProcessIsolate;

  before(async () => {
    isolate = await processIsolate();
  });

  after(() => isolate.close());

  const failure = (code: string, message: string, retryable: boolean) => ({
    kind: "failed",
    "error.code": code,
    "error.message": message,
    "error.retryable": retryable,
  });
  const cases: readonly { readonly outcome: string; readonly expected: Record<string, unknown> }[] = [
    { outcome: "permanent", expected: failure("NO_SUCH_USER", "the user is gone", false) },
    { outcome: "retryable", expected: { ...failure("RATE_LIMITED", "slow down", true), retryAfterMs: 1500 } },
    { outcome: "later", expected: { kind: "retry-later", delayMs: 2500 } },
    { outcome: "forged", expected: failure("HANDLER_ERROR", "not really", false) },
    { outcome: "large", expected: { kind: "refused", code: "RESULT_REJECTED" } },
    { outcome: "deep", expected: { kind: "refused", code: "RESULT_REJECTED" } },
    { outcome: "function", expected: { kind: "refused", code: "RESULT_REJECTED", message: "the result is not JSON" } },
    { outcome: "circular", expected: { kind: "refused", code: "RESULT_REJECTED" } },
    { outcome: "surrogate", expected: { kind: "succeeded", resultJson: '{"text":"a\ufffdb"}' } },
    { outcome: "nothing", expected: { kind: "succeeded", resultJson: "null" } },
    { outcome: "partial", expected: { kind: "succeeded", resultJson: '{"done":2}', "warnings[1].code": "SKIPPED" } },
  ];
  for (const { outcome, expected } of cases) {
    it(`is named for what it is: ${outcome}`, async () => {
      expect(await outcomeOf(isolate, "outcomes", { outcome })).to.deep.nested.include(expected);
    });
  }

  it("is given a payload that the schema has checked and completed", async () => {
    expect(await outcomeOf(isolate, "typed", { count: 21 })).to.deep.include({ resultJson: '{"doubled":42}' });
  });

  it("is never run with a payload that the schema refuses", async () => {
    const outcome = await outcomeOf(isolate, "typed", { count: "many" });
    expect(outcome).to.deep.include({ kind: "refused", code: "PAYLOAD_REJECTED" });
    expect(outcome).to.have.property("detailsJson").that.matches(/^\{"issues":\[\{"path":"count"/);
  });
});
