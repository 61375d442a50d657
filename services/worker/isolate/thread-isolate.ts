import { Worker } from "node:worker_threads";
import type { Logger } from "#libs/log/logger.js";
import type { RunOrder } from "#libs/attempts/run-order.js";
import type { Isolate, IsolateRun, RunListener } from "#worker/isolate/isolate.js";
import type { HandlerEnvironment } from "#worker/isolate/handler-environment.js";
import { IsolateOutput } from "#worker/isolate/isolate-output.js";
import type { DeathOutcome } from "#libs/attempts/isolate-outcome.js";
import { IsolateSession } from "#worker/isolate/isolate-session.js";
import type { DescribedTask } from "#worker/isolate/protocol.js";

/** What a thread isolate is made of. */
export interface ThreadIsolateOptions {
  /** Absolute paths of the task modules. */
  readonly modules: readonly string[];
  /** JavaScript heap, bytes; Buffers are not counted. */
  readonly memoryBytes: number;
  /** OS priority, 0–19; on Linux only. */
  readonly nice: number;
  readonly environment: HandlerEnvironment;
  readonly logger: Logger;
}

const MIB = 1024 * 1024;

/** Handler code in a thread of the worker: starts and answers faster than a process; a native crash takes the worker with it. */
export class ThreadIsolate implements Isolate {
  readonly isolation = "thread";
  /** Threads share the worker's memory; what they leave behind cannot be told. */
  readonly leftoverBytes = 0;
  readonly #worker: Worker;
  readonly #session: IsolateSession;
  readonly #output: IsolateOutput;
  #overMemory = false;

  constructor(options: ThreadIsolateOptions) {
    this.#worker = new Worker(new URL("./isolate-entry.js", import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: Math.ceil(options.memoryBytes / MIB) },
      stdout: true,
      stderr: true,
      execArgv: [],
      env: options.environment,
      workerData: options.nice,
    });
    this.#output = new IsolateOutput(options.logger, this.#worker);
    this.#session = new IsolateSession({
      send: (message) => {
        this.#worker.postMessage(message);
      },
      kill: () => {
        void this.#worker.terminate();
      },
    });
    this.#worker.on("message", (message: unknown) => {
      this.#session.onMessage(message);
    });
    let failure = "";
    this.#worker.on("error", (error: Error & { code?: string }) => {
      if (error.code === "ERR_WORKER_OUT_OF_MEMORY") this.#overMemory = true;
      failure = error.stack ?? error.message;
    });
    this.#worker.on("exit", (exitCode) => {
      this.#session.onDeath(this.#death(exitCode, failure));
    });
    this.#worker.postMessage({ kind: "setup", setup: { modules: options.modules } });
  }

  get usable(): boolean {
    return this.#session.usable;
  }

  /** Resolves when the modules are loaded; rejects when they cannot be or the thread ended before. */
  ready(): Promise<readonly DescribedTask[]> {
    return this.#session.ready;
  }

  /** Resolves when the thread is gone. */
  get gone(): Promise<DeathOutcome> {
    return this.#session.gone;
  }

  begin(order: RunOrder, listener: RunListener): IsolateRun {
    return this.#session.begin(order, listener);
  }

  async close(): Promise<void> {
    this.#session.kill();
    await this.#session.gone;
  }

  #death(exitCode: number, failure: string): DeathOutcome {
    const cause = this.#overMemory ? "out-of-memory" : this.#session.killed ? "killed" : "crashed";
    return {
      kind: "died",
      cause,
      exitCode,
      signal: undefined,
      stderrTail: (failure || this.#output.stderrTail).slice(-2048),
    };
  }
}
