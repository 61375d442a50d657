import { deferred, type Deferred } from "#libs/async/deferred.js";
import { TaskwireError } from "#libs/errors/taskwire-error.js";
import type { Logger } from "#libs/log/logger.js";
import type { Isolate } from "#worker/isolate/isolate.js";
import type { DescribedTask } from "#worker/isolate/protocol.js";

/** An isolate that takes time to start and may die. */
export interface PooledIsolate extends Isolate {
  ready(): Promise<readonly DescribedTask[]>;
  readonly gone: Promise<unknown>;
  /** Memory its attempts left behind, bytes. */
  readonly leftoverBytes: number;
}

/** How a pool keeps its isolates. */
export interface IsolatePoolOptions {
  /** Starts an isolate with this memory cap. */
  readonly create: (memoryBytes: number) => PooledIsolate;
  /** Isolates kept ready or at work. More are started when more are asked for at once, and ended afterwards. */
  readonly size: number;
  /** Memory cap of those kept ready, bytes. */
  readonly memoryBytes: number;
  /** Attempts after which an isolate is replaced. */
  readonly recycleAfter: number;
  readonly logger: Logger;
}

interface Member {
  readonly isolate: PooledIsolate;
  readonly memoryBytes: number;
  runs: number;
  isLent: boolean;
}

const RESTART_WAIT_MS = 1000;

/**
 * Warm isolates, each lent to one attempt at a time. One that died, was killed, has run its number of attempts or holds on to half
 * its memory cap never comes back; its successor is started before its last attempt begins.
 */
export class IsolatePool {
  readonly #options: IsolatePoolOptions;
  readonly #members = new Map<Isolate, Member>();
  readonly #idle: Member[] = [];
  readonly #waiting: Deferred<Isolate>[] = [];
  #starting = 0;
  #lent = 0;
  #worn = 0;
  #restart: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: IsolatePoolOptions) {
    this.#options = options;
  }

  /** Isolates alive or starting. */
  get alive(): number {
    return this.#members.size;
  }

  /** Isolates ready and not lent. */
  get idle(): number {
    return this.#idle.length;
  }

  /** Begins to warm up. */
  start(): void {
    this.#replenish();
  }

  /**
   * Lends an isolate with this memory cap (default: the pool's); a cap of its own gets an isolate of its own, ended afterwards.
   * Rejects when none can be started.
   */
  acquire(memoryBytes: number = this.#options.memoryBytes): Promise<Isolate> {
    if (this.#closed) return Promise.reject(poolClosed());
    if (memoryBytes !== this.#options.memoryBytes) return this.#acquireDedicated(memoryBytes);
    for (let member = this.#idle.pop(); member !== undefined; member = this.#idle.pop()) {
      if (member.isolate.usable) return Promise.resolve(this.#lend(member));
      this.#discard(member);
    }
    const waiting = deferred<Isolate>();
    this.#waiting.push(waiting);
    this.#replenish();
    return waiting.promise;
  }

  /** Takes an isolate back after its attempt ended. */
  release(isolate: Isolate): void {
    const member = this.#members.get(isolate);
    if (member === undefined) return;
    this.#takeBack(member);
    const isSpent =
      !isolate.usable ||
      this.#closed ||
      this.#isWorn(member) ||
      member.memoryBytes !== this.#options.memoryBytes ||
      member.isolate.leftoverBytes > member.memoryBytes / 2;
    if (isSpent) this.#discard(member);
    else this.#offer(member);
    this.#replenish();
  }

  /** Ends every isolate, whatever it does. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#restart);
    for (const waiting of this.#waiting.splice(0)) waiting.reject(poolClosed());
    this.#idle.length = 0;
    await Promise.all([...this.#members.keys()].map((isolate) => isolate.close()));
  }

  #lend(member: Member): Isolate {
    member.runs += 1;
    member.isLent = true;
    this.#lent += 1;
    if (this.#isWorn(member)) {
      this.#worn += 1;
      this.#replenish();
    }
    return member.isolate;
  }

  #takeBack(member: Member): void {
    if (!member.isLent) return;
    member.isLent = false;
    this.#lent -= 1;
    if (this.#isWorn(member)) this.#worn -= 1;
  }

  #isWorn(member: Member): boolean {
    return member.runs >= this.#options.recycleAfter;
  }

  /** Gives a ready isolate to whoever waits longest, or keeps it, or ends it when there are enough. */
  #offer(member: Member): void {
    const next = this.#waiting.shift();
    if (next !== undefined) next.resolve(this.#lend(member));
    else if (this.#idle.length + this.#lent - this.#worn < this.#options.size) this.#idle.push(member);
    else this.#discard(member);
  }

  #replenish(): void {
    if (this.#closed || this.#restart !== undefined) return;
    const kept = this.#idle.length + this.#starting + this.#lent - this.#worn;
    const missing = Math.max(this.#options.size - kept, this.#waiting.length - this.#starting);
    for (let count = 0; count < missing; count += 1) void this.#startOne();
  }

  async #startOne(): Promise<void> {
    this.#starting += 1;
    try {
      const member = await this.#create(this.#options.memoryBytes);
      this.#starting -= 1;
      this.#offer(member);
    } catch (error) {
      this.#starting -= 1;
      if (this.#closed) return;
      this.#options.logger.error({ err: error }, "isolate did not start");
      this.#waiting.shift()?.reject(error);
      this.#restart ??= setTimeout(() => {
        this.#restart = undefined;
        this.#replenish();
      }, RESTART_WAIT_MS);
    }
  }

  async #acquireDedicated(memoryBytes: number): Promise<Isolate> {
    const member = await this.#create(memoryBytes);
    member.runs = this.#options.recycleAfter - 1;
    return this.#lend(member);
  }

  async #create(memoryBytes: number): Promise<Member> {
    const isolate = this.#options.create(memoryBytes);
    const member = { isolate, memoryBytes, runs: 0, isLent: false };
    this.#members.set(isolate, member);
    void isolate.gone.then(() => {
      this.#onGone(member);
    });
    try {
      await isolate.ready();
    } catch (error) {
      void isolate.close();
      throw error;
    }
    if (this.#closed) throw poolClosed();
    return member;
  }

  #onGone(member: Member): void {
    this.#members.delete(member.isolate);
    const index = this.#idle.indexOf(member);
    if (index >= 0) this.#idle.splice(index, 1);
    this.#takeBack(member);
    this.#replenish();
  }

  #discard(member: Member): void {
    void member.isolate.close();
  }
}

function poolClosed(): TaskwireError {
  return new TaskwireError({ code: "UNAVAILABLE", reason: "WORKER_STOPPING", message: "the worker is stopping" });
}
