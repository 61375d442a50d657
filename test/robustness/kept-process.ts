import { delay } from "#libs/async/delay.js";
import type { ChildService } from "#cli/stack/child-service.js";

const RETRY_MS = 200;

/** What happened to a process of a run. */
export type ProcessNews = (name: string, what: string) => void;

/** A process that is started again whenever it has ended, whoever ended it, as a supervisor would, unless it is held down. */
export class KeptProcess {
  readonly name: string;
  readonly #child: ChildService;
  readonly #onNews: ProcessNews;
  readonly #closing = new AbortController();
  readonly #loop: Promise<void>;
  #isHeldDown = false;
  #isUp = true;

  /** @param child - runs already */
  constructor(child: ChildService, onNews: ProcessNews) {
    this.name = child.name;
    this.#child = child;
    this.#onNews = onNews;
    this.#loop = this.#keepUp();
  }

  /** Whether it has said that it is ready, and has not ended since. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** Kills it (SIGKILL) and leaves it down for `forMs` milliseconds. */
  async kill(forMs: number): Promise<void> {
    this.#isHeldDown = true;
    await this.#child.kill();
    await delay(forMs);
    this.#isHeldDown = false;
  }

  /** Stops it (SIGSTOP) for `forMs` milliseconds. */
  async pause(forMs: number): Promise<void> {
    const pid = this.#pid();
    if (pid === undefined) return;
    process.kill(pid, "SIGSTOP");
    await delay(forMs);
    if (this.#pid() === pid) process.kill(pid, "SIGCONT");
  }

  /** Asks it to stop in order (SIGTERM); it is started again after that. */
  async drain(): Promise<void> {
    await this.#child.stop();
  }

  /** Lets it run; it is no more started again. Call it before the stack stops. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#loop;
  }

  #pid(): number | undefined {
    try {
      return this.#child.pid;
    } catch {
      return undefined;
    }
  }

  async #keepUp(): Promise<void> {
    const { signal } = this.#closing;
    const closing = new Promise<void>((resolve) => {
      signal.addEventListener("abort", () => {
        resolve();
      });
    });
    while (!signal.aborted) {
      if (this.#isUp) {
        await Promise.race([this.#child.exited(), closing]);
        if (signal.aborted) return;
        this.#isUp = false;
        this.#onNews(this.name, "is gone");
      }
      if (this.#isHeldDown) {
        await delay(RETRY_MS / 10);
        continue;
      }
      try {
        await this.#child.start();
        this.#isUp = true;
        this.#onNews(this.name, "is up");
      } catch (error) {
        this.#onNews(this.name, `did not start: ${error instanceof Error ? error.message : String(error)}`);
        await delay(RETRY_MS);
      }
    }
  }
}
