import { fork, type ChildProcess } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { deferred, type Deferred } from "#libs/async/deferred.js";
import { ConfigError } from "#libs/config/settings.js";
import type { Service } from "#libs/service/service.js";
import { readProcessMessage, type FailedMessage, type ReadyMessage } from "#cli/stack/process-message.js";
import { SERVICE_NODE_FLAGS } from "#cli/stack/node-flags.js";

/** What a {@link ChildService} runs. */
export interface ChildOptions {
  /** For messages: `task-service`, `worker 1`. */
  readonly name: string;
  /** Arguments of `taskwire`. Read at every start. */
  readonly args: () => readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Gets what the child writes to stdout and stderr. */
  readonly logFile: string;
  /** Default 30,000. */
  readonly startTimeoutMs?: number;
  /** How long an orderly stop may take before SIGKILL; default 20,000. */
  readonly stopTimeoutMs?: number;
}

interface Running {
  readonly process: ChildProcess;
  readonly pid: number;
  readonly exited: Promise<void>;
}

const MAIN = fileURLToPath(new URL("../main.js", import.meta.url));
const LOG_TAIL_LINES = 8;

/**
 * A `taskwire` command as a child process. It is in a process group of its own, so that Ctrl-C reaches only the parent, which stops its
 * children in order; a child whose parent dies notices by the end of the IPC channel and stops by itself.
 */
export class ChildService implements Service {
  readonly #options: ChildOptions;
  readonly #listeners: ((how: string) => void)[] = [];
  #running: Running | undefined;
  #ready: ReadyMessage | undefined;
  #expected = false;

  constructor(options: ChildOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.name;
  }

  /** The process id; throws while none runs. */
  get pid(): number {
    if (this.#running === undefined) throw new Error(`${this.name} is not running`);
    return this.#running.pid;
  }

  /** What the child said when it was ready last. */
  get ready(): ReadyMessage {
    if (this.#ready === undefined) throw new Error(`${this.name} has not been ready yet`);
    return this.#ready;
  }

  /** Calls the listener when the child ends without having been told to. */
  onUnexpectedExit(listener: (how: string) => void): void {
    this.#listeners.push(listener);
  }

  /** Starts the child and returns when it is ready. Rejects with the child's own words when it cannot start, with a {@link ConfigError} when its configuration is wrong. */
  async start(): Promise<void> {
    const { name, logFile, env, startTimeoutMs = 30_000 } = this.#options;
    mkdirSync(dirname(logFile), { recursive: true });
    const log = openSync(logFile, "a");
    this.#expected = false;
    const child = fork(MAIN, [...this.#options.args()], {
      env: { ...env },
      execArgv: [...SERVICE_NODE_FLAGS],
      detached: true,
      stdio: ["ignore", log, log, "ipc"],
    });
    closeSync(log);
    const ready = deferred<ReadyMessage>();
    const exited = this.#watch(child, ready);
    const timer = setTimeout(() => {
      ready.reject(new Error(`${name} was not ready within ${startTimeoutMs} ms; its log is ${logFile}`));
    }, startTimeoutMs);
    if (child.pid !== undefined) this.#running = { process: child, pid: child.pid, exited };
    try {
      this.#ready = await ready.promise;
    } catch (error) {
      await this.kill();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Asks it to stop in order (SIGTERM), after a while kills it. */
  async stop(): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    this.#expected = true;
    running.process.kill("SIGTERM");
    const force = setTimeout(() => running.process.kill("SIGKILL"), this.#options.stopTimeoutMs ?? 20_000);
    await running.exited;
    clearTimeout(force);
  }

  /** Sends a signal, by default SIGKILL. After SIGKILL it returns when the process is gone. */
  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    this.#expected = true;
    running.process.kill(signal);
    if (signal === "SIGKILL") await running.exited;
  }

  /** Resolves when the process that runs now is gone. */
  async exited(): Promise<void> {
    await this.#running?.exited;
  }

  /** Starts it again, after an orderly stop if it still runs. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  #watch(child: ChildProcess, ready: Deferred<ReadyMessage>): Promise<void> {
    const { name, logFile } = this.#options;
    let isReady = false;
    child.on("message", (raw) => {
      const message = readProcessMessage(raw);
      if (message?.kind === "failed") ready.reject(startFailure(name, message));
      if (message?.kind !== "ready") return;
      isReady = true;
      ready.resolve(message);
    });
    return new Promise((resolve) => {
      const gone = (how: string) => {
        if (this.#running?.process === child) this.#running = undefined;
        ready.reject(
          new Error(`${name} ended with ${how} before it was ready; the end of ${logFile}:\n${tailOf(logFile)}`),
        );
        resolve();
        if (isReady && !this.#expected) for (const listener of this.#listeners) listener(how);
      };
      child.once("error", (error) => {
        gone(error.message);
      });
      child.once("exit", (code, signal) => {
        gone(signal ?? `exit code ${code}`);
      });
    });
  }
}

/** A wrong configuration of a child is one of its parent: that is where it came from. */
function startFailure(name: string, { message, problems }: FailedMessage): Error {
  return problems === undefined ? new Error(`${name}: ${message}`) : new ConfigError(problems);
}

function tailOf(logFile: string): string {
  const lines = readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-LOG_TAIL_LINES);
  return lines.map((line) => `  ${line}`).join("\n");
}
