import { spawn, type ChildProcess } from "node:child_process";
import { createLeash } from "#libs/leash/leash.js";
import type { ConfiguredCommand } from "#worker/handlers/command-run/command-file.js";

/** How a program ended: one of the two is null. */
export interface ProgramExit {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** What a program is started with besides its configuration. */
export interface ProgramInput {
  readonly env: Readonly<Record<string, string>>;
  /** Everything it gets on stdin. */
  readonly stdin: string;
  readonly onStdout: (chunk: Buffer) => void;
}

const TAIL_BYTES = 2048;
/** How long the pipes may outlive the program, held open by something it put into another group. */
const PIPE_WAIT_MS = 200;

/**
 * A program and everything it starts, as a process group of its own. When the program has ended, what it left running is killed; when
 * this process dies, all of it is.
 */
export class ProgramGroup {
  readonly #child: ChildProcess;
  readonly #exit: Promise<ProgramExit>;
  #stderr = Buffer.alloc(0);
  #exited = false;
  #graceTimer: NodeJS.Timeout | undefined;

  constructor({ argv, cwd }: ConfiguredCommand, { env, stdin, onStdout }: ProgramInput) {
    const [program = "", ...args] = argv;
    const leash = createLeash();
    try {
      this.#child = spawn(program, args, { cwd, env, detached: true, stdio: ["pipe", "pipe", "pipe"] });
    } catch (error) {
      leash.release();
      throw error;
    }
    if (this.#child.pid !== undefined) leash.holdGroup(this.#child.pid);
    // A program need not read its input.
    this.#child.stdin?.on("error", () => undefined);
    this.#child.stdin?.end(stdin);
    this.#child.stdout?.on("data", onStdout);
    this.#child.stderr?.on("data", (chunk: Buffer) => {
      this.#stderr = Buffer.concat([this.#stderr, chunk.subarray(-TAIL_BYTES)]).subarray(-TAIL_BYTES);
    });
    this.#exit = this.#untilGone().finally(() => {
      clearTimeout(this.#graceTimer);
      leash.release();
    });
    this.#exit.catch(() => undefined);
  }

  /** Resolves when the program and its group are gone and everything it wrote was read; rejects when it cannot be started. */
  get exit(): Promise<ProgramExit> {
    return this.#exit;
  }

  /** The end of what it wrote to stderr, at most 2 KiB. */
  get stderrTail(): string {
    return this.#stderr.toString().trim();
  }

  /** Asks the group to end (SIGTERM) and kills it after the grace period. */
  stop(graceMs: number): void {
    if (this.#exited || this.#graceTimer !== undefined) return;
    this.#signal("SIGTERM");
    this.#graceTimer = setTimeout(() => {
      this.kill();
    }, graceMs);
  }

  /** Ends the group at once. */
  kill(): void {
    if (!this.#exited) this.#signal("SIGKILL");
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#child.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, signal);
    } catch {
      // All are gone.
    }
  }

  #untilGone(): Promise<ProgramExit> {
    return new Promise((resolve, reject) => {
      let pipeTimer: NodeJS.Timeout | undefined;
      this.#child.once("error", (error) => {
        if (this.#child.pid === undefined) reject(error);
      });
      this.#child.once("exit", () => {
        this.#signal("SIGKILL");
        this.#exited = true;
        pipeTimer = setTimeout(() => {
          this.#child.stdout?.destroy();
          this.#child.stderr?.destroy();
        }, PIPE_WAIT_MS);
      });
      this.#child.once("close", (exitCode, signal) => {
        clearTimeout(pipeTimer);
        resolve({ exitCode, signal });
      });
    });
  }
}
