import { fork, type ChildProcess } from "node:child_process";
import { setPriority } from "node:os";
import { finished } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import type { Logger } from "#libs/log/logger.js";
import type { RingKeys } from "#libs/sealing/key-ring.js";
import { toHanded } from "#worker/isolate/handed-keys.js";
import type { RunOrder } from "#libs/attempts/run-order.js";
import type { Isolate, IsolateRun, RunListener } from "#worker/isolate/isolate.js";
import type { HandlerEnvironment } from "#worker/isolate/handler-environment.js";
import { IsolateOutput } from "#worker/isolate/isolate-output.js";
import type { DeathOutcome } from "#libs/attempts/isolate-outcome.js";
import { IsolateSession } from "#worker/isolate/isolate-session.js";
import { killProcessGroup } from "#worker/isolate/kill-process-group.js";
import { residentBytes, type MemoryWatch } from "#worker/isolate/memory-watch.js";
import type { DescribedTask, IsolateSetup } from "#worker/isolate/protocol.js";

/** What a process isolate is made of. */
export interface ProcessIsolateOptions {
  /** Absolute paths of the task modules. */
  readonly modules: readonly string[];
  /** What its handlers find with `runKeys`; only where the modules are Taskwire's own. */
  readonly keys?: RingKeys | undefined;
  /** Memory beyond what the process needs with its modules loaded and nothing run, bytes. */
  readonly memoryBytes: number;
  /** OS priority, 0 (as the worker) to 19 (only what nobody else wants). */
  readonly nice: number;
  /** How long the worker may be stopped (SIGSTOP) until the process kills itself, milliseconds; 0: for ever. On Linux only. */
  readonly freezeKillMs: number;
  readonly memoryWatch: MemoryWatch;
  readonly environment: HandlerEnvironment;
  readonly logger: Logger;
}

const MIB = 1024 * 1024;
/** Room in V8's heap for the modules; the exact bound is the memory watch's. */
const HEAP_ALLOWANCE_MIB = 64;
/** Stands in for the resident memory of a fresh process where /proc does not tell it. */
const USUAL_BASE_BYTES = 80 * MIB;
const CLOSE_WAIT_MS = 1000;
/** How long the pipes may outlive the process, held open by something the handler started. */
const PIPE_WAIT_MS = 200;
const HEAP_EXHAUSTED = /heap out of memory|allocation failed|Reached heap limit/i;
/** How V8 ends a process whose heap is full, depending on its build. */
const V8_SIGNALS: ReadonlySet<string | undefined> = new Set(["SIGABRT", "SIGTRAP", "SIGILL"]);

/**
 * Handler code in a child process of lower priority: it may block, leak, crash or never end, and is always killed with success. The
 * process leads a group of its own, so what handlers start dies with it, unless they put that into yet another group; and Ctrl-C on
 * the worker's terminal does not reach it.
 */
export class ProcessIsolate implements Isolate {
  readonly isolation = "process";
  readonly #options: ProcessIsolateOptions;
  readonly #child: ChildProcess;
  readonly #session: IsolateSession;
  readonly #output: IsolateOutput;
  #baseBytes = USUAL_BASE_BYTES;
  #overMemory = false;
  #exited = false;

  constructor(options: ProcessIsolateOptions) {
    this.#options = options;
    const heapMib = Math.ceil(options.memoryBytes / MIB) + HEAP_ALLOWANCE_MIB;
    this.#child = fork(fileURLToPath(new URL("./isolate-entry.js", import.meta.url)), [String(options.freezeKillMs)], {
      detached: true,
      env: options.environment,
      execArgv: [`--max-old-space-size=${heapMib}`],
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      serialization: "json",
    });
    this.#lowerPriority();
    this.#output = new IsolateOutput(options.logger, this.#child);
    this.#session = new IsolateSession({
      send: (message) => {
        if (this.#child.connected) this.#child.send(message, () => undefined);
      },
      kill: () => {
        this.#killGroup();
      },
    });
    this.#child.on("message", (message: unknown) => {
      this.#session.onMessage(message);
    });
    this.#child.on("error", (error) => {
      options.logger.error({ err: error }, "isolate process failed");
      if (this.#child.pid === undefined) this.#session.onDeath(this.#death(undefined, undefined));
    });
    this.#child.on("exit", (code, signal) => {
      this.#killGroup();
      this.#exited = true;
      void this.#onExit(code ?? undefined, signal ?? undefined);
    });
    const { modules, keys } = options;
    const setup: IsolateSetup = { modules, keys: keys === undefined ? undefined : toHanded(keys) };
    this.#child.send({ kind: "setup", setup }, () => undefined);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get usable(): boolean {
    return this.#session.usable && this.#child.connected;
  }

  /** Resolves when the modules are loaded; rejects when they cannot be or the process ended before. */
  async ready(): Promise<readonly DescribedTask[]> {
    const tasks = await this.#session.ready;
    this.#baseBytes = this.residentBytes ?? USUAL_BASE_BYTES;
    return tasks;
  }

  /** Resolves when the process is gone. */
  get gone(): Promise<DeathOutcome> {
    return this.#session.gone;
  }

  /** Resident memory in bytes, where the platform tells it. */
  get residentBytes(): number | undefined {
    return this.#child.pid === undefined ? undefined : residentBytes(this.#child.pid);
  }

  /** Memory its attempts left behind, bytes; 0 where the platform does not tell. */
  get leftoverBytes(): number {
    return Math.max(0, (this.residentBytes ?? 0) - this.#baseBytes);
  }

  begin(order: RunOrder, listener: RunListener): IsolateRun {
    let endWatch: () => void = () => undefined;
    const run = this.#session.begin(order, {
      onProgress: (claim) => {
        listener.onProgress(claim);
      },
      onLog: (claim) => {
        listener.onLog(claim);
      },
      onOutput: (claim) => {
        listener.onOutput(claim);
      },
      onAborted: (cause) => {
        listener.onAborted(cause);
      },
      onEnd: (outcome) => {
        endWatch();
        listener.onEnd(outcome);
      },
    });
    // Only now: an attempt that could not begin has nothing to watch, and must not end the watch of one that runs.
    const pid = this.#child.pid ?? 0;
    endWatch = this.#options.memoryWatch.watch(pid, this.#baseBytes + this.#options.memoryBytes, () => {
      this.#overMemory = true;
      this.#session.kill();
    });
    return run;
  }

  async close(): Promise<void> {
    if (this.#session.busy) this.#session.kill();
    else if (this.#child.connected) this.#child.disconnect();
    const timer = setTimeout(() => {
      this.#session.kill();
    }, CLOSE_WAIT_MS);
    await this.#session.gone;
    clearTimeout(timer);
  }

  /** Not once the process is gone: its number may be somebody else's by then. */
  #killGroup(): void {
    if (this.#child.pid !== undefined && !this.#exited) killProcessGroup(this.#child.pid);
  }

  /** Waits for the last words; not for 'close', which Node.js leaves out when this side disconnected first. */
  async #onExit(code: number | undefined, signal: string | undefined): Promise<void> {
    const pipes = [this.#child.stdout, this.#child.stderr].filter((pipe) => pipe !== null);
    const timer = setTimeout(() => {
      for (const pipe of pipes) pipe.destroy();
    }, PIPE_WAIT_MS);
    await Promise.all(pipes.map((pipe) => finished(pipe).catch(() => undefined)));
    clearTimeout(timer);
    this.#session.onDeath(this.#death(code, signal));
  }

  #death(exitCode: number | undefined, signal: string | undefined): DeathOutcome {
    const stderrTail = this.#output.stderrTail;
    const heapIsFull = !this.#session.killed && V8_SIGNALS.has(signal) && HEAP_EXHAUSTED.test(stderrTail);
    const outOfMemory = this.#overMemory || heapIsFull;
    const cause = outOfMemory ? "out-of-memory" : this.#session.killed ? "killed" : "crashed";
    return { kind: "died", cause, exitCode, signal, stderrTail };
  }

  /** Right after the fork, while the process has one thread: those it starts later inherit the priority. */
  #lowerPriority(): void {
    if (this.#child.pid === undefined || this.#options.nice === 0) return;
    try {
      setPriority(this.#child.pid, this.#options.nice);
    } catch (error) {
      this.#options.logger.warn({ err: error }, "isolate keeps its priority");
    }
  }
}
