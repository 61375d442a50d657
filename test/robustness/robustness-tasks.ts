import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { environment } from "#libs/config/environment.js";
import {
  defineTask,
  PartialFailure,
  PermanentError,
  RetryableError,
  RetryLater,
  TaskAborted,
  type Isolation,
  type TaskContext,
} from "#libs/define-task/define-task.js";
import { EffectJournal } from "#test/robustness/effect-journal.js";
import { JOURNAL_VARIABLE } from "#test/robustness/journal-variable.js";

/** One run of an attempt: what a handler below works with. */
interface Run {
  readonly context: TaskContext<Record<string, unknown>>;
  /** Names this run of this attempt; its journal's end and what it returns or throws carry it. */
  readonly token: string;
  readonly result: { readonly attempt: number; readonly token: string };
  /** A whole number of the payload; 0: it has none. */
  number(name: string): number;
  /** Waits and writes a line into the journal every so often; ends early only when told to heed the signal. */
  work(ms: number, heed: "signal" | "nothing"): Promise<void>;
  beat(): void;
}

const BEAT_MS = 40;
const LATE_MS = 60_000;

function define(name: string, isolation: Isolation, body: (run: Run) => unknown) {
  return defineTask(`chaos.${name}`, { isolation }, async (context) => {
    const path = environment()[JOURNAL_VARIABLE];
    if (path === undefined) throw new Error(`${JOURNAL_VARIABLE} is not set`);
    const journal = new EffectJournal(path, context.taskId, context.attempt);
    const token = randomBytes(8).toString("hex");
    journal.write("begin", token);
    const { signal } = context;
    const onAbort = () => {
      const reason: unknown = signal.reason;
      journal.write("abort", reason instanceof TaskAborted ? reason.abortCause : "-");
    };
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await body(runOf(context, token, journal));
    } finally {
      signal.removeEventListener("abort", onAbort);
      journal.write("end", token);
    }
  });
}

function runOf(context: TaskContext<Record<string, unknown>>, token: string, journal: EffectJournal): Run {
  const beat = () => {
    journal.write("beat");
  };
  return {
    context,
    token,
    result: { attempt: context.attempt, token },
    number: (name) => Number(context.payload[name] ?? 0),
    beat,
    work: async (ms, heed) => {
      const endMs = performance.now() + ms;
      for (let leftMs = ms; leftMs > 0; leftMs = endMs - performance.now()) {
        await sleep(Math.min(leftMs, BEAT_MS), undefined, heed === "signal" ? { signal: context.signal } : {});
        beat();
        context.progress({ current: context.attempt, message: token });
      }
    },
  };
}

const succeed = async (run: Run) => {
  await run.work(run.number("ms"), "signal");
  return run.result;
};

/** Handlers that do well, badly, or harm, and say in a journal what they did. */
export const tasks = [
  define("succeed", "process", succeed),
  define("succeed-thread", "thread", succeed),
  define("succeed-inline", "inline", succeed),
  define("slow", "process", succeed),
  define("fail", "process", async (run) => {
    await run.work(run.number("ms"), "signal");
    if (run.context.attempt < run.number("until")) throw new RetryableError("CHAOS", `failed on purpose ${run.token}`);
    return run.result;
  }),
  define("permanent", "process", ({ token }) => {
    throw new PermanentError("CHAOS_PERMANENT", `failed for good ${token}`);
  }),
  define("spin", "process", (run) => {
    const endMs = performance.now() + run.number("ms");
    let nextMs = performance.now();
    for (let now = nextMs; now < endMs; now = performance.now()) {
      if (now < nextMs) continue;
      run.beat();
      nextMs = now + BEAT_MS;
    }
    return run.result;
  }),
  define("crash", "process", async (run) => {
    await run.work(BEAT_MS, "nothing");
    if (run.context.attempt >= run.number("until")) return run.result;
    const how = run.context.payload["how"];
    if (how === "SIGSEGV" || how === "SIGKILL") process.kill(process.pid, how);
    else process.exit(3);
    return sleep(LATE_MS);
  }),
  define("eat", "process", async (run) => {
    if (run.context.attempt >= run.number("until")) return run.result;
    const kept: Buffer[] = [];
    const endMs = performance.now() + LATE_MS;
    while (performance.now() < endMs) {
      kept.push(Buffer.alloc(4 * 1024 * 1024, kept.length));
      run.beat();
      await sleep(10);
    }
    return run.result;
  }),
  define("deaf", "process", async (run) => {
    await run.work(run.number("ms"), "nothing");
    return run.result;
  }),
  define("later", "process", (run) => {
    if (run.context.attempt < run.number("until")) throw new RetryLater(run.number("delayMs"), `later ${run.token}`);
    return run.result;
  }),
  define("partial", "process", async (run) => {
    await run.work(run.number("ms"), "signal");
    throw new PartialFailure(run.result, [`a warning ${run.token}`]);
  }),
  define("chatty", "process", async (run) => {
    const lines = run.number("lines");
    for (let line = 0; line < lines; line += 1) {
      run.context.log.info(`line ${line} ${run.token}`);
      run.context.output(`${run.token} ${line} ${"x".repeat(1000)}\n`);
      if (line % 20 === 0) await run.work(run.number("ms") / (lines / 20), "signal");
    }
    return run.result;
  }),
  define("oversized", "process", () => "x".repeat(300_000)),
  define("poison", "process", async (run) => {
    if (run.context.attempt >= run.number("until")) return run.result;
    process.kill(process.ppid, "SIGKILL");
    return sleep(LATE_MS);
  }),
];
