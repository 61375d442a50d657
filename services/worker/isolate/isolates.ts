import type { Isolation } from "#libs/define-task/define-task.js";
import type { Logger } from "#libs/log/logger.js";
import type { RingKeys } from "#libs/sealing/key-ring.js";
import type { HandlerEnvironment } from "#worker/isolate/handler-environment.js";
import { InlineIsolate } from "#worker/isolate/inline-isolate.js";
import type { Isolate } from "#worker/isolate/isolate.js";
import { IsolatePool } from "#worker/isolate/isolate-pool.js";
import { MemoryWatch } from "#worker/isolate/memory-watch.js";
import { readCatalog, usesIsolation, type ModuleCatalog } from "#worker/isolate/module-catalog.js";
import { ProcessIsolate } from "#worker/isolate/process-isolate.js";
import { ThreadIsolate } from "#worker/isolate/thread-isolate.js";

/** A type whose handler is given keys. */
export interface KeyedType {
  /** The module that defines it, absolute; the only one in its isolates. */
  readonly module: string;
  /** Derived for this type. */
  readonly keys: RingKeys;
}

/** How isolates are made. */
export interface IsolatesOptions {
  /** Absolute paths of the task modules. */
  readonly modules: readonly string[];
  /** The types whose handlers get keys. Their attempts run in processes of their own, in which no other module is loaded. */
  readonly keyed?: ReadonlyMap<string, KeyedType>;
  /** Isolates of a kind kept ready, where any type uses that kind. */
  readonly warm: number;
  readonly memoryBytes: number;
  readonly recycleAfter: number;
  readonly nice: number;
  /** How long the worker may be stopped until its processes kill themselves, milliseconds; 0: for ever. */
  readonly freezeKillMs: number;
  /** What handlers in processes and threads see. */
  readonly environment: HandlerEnvironment;
  readonly logger: Logger;
}

/** All isolates of a worker: a pool of processes, a pool of threads, and the worker itself for inline types. */
export class Isolates {
  readonly #options: IsolatesOptions;
  readonly #memoryWatch = new MemoryWatch();
  readonly #pools: Readonly<Record<"process" | "thread", IsolatePool>>;
  readonly #keyedPools = new Map<string, IsolatePool>();
  #inline = new InlineIsolate(new Map());

  constructor(options: IsolatesOptions) {
    this.#options = options;
    const { memoryBytes, recycleAfter, logger, warm } = options;
    const pool = { size: warm, memoryBytes, recycleAfter, logger };
    this.#pools = {
      process: new IsolatePool({ ...pool, create: (bytes) => this.#createProcess(bytes) }),
      thread: new IsolatePool({ ...pool, create: (bytes) => this.#createThread(bytes) }),
    };
    for (const [type, keyed] of options.keyed ?? []) {
      const create = (bytes: number) => this.#createProcess(bytes, keyed);
      this.#keyedPools.set(type, new IsolatePool({ ...pool, size: 0, recycleAfter: 1, create }));
    }
  }

  /** Finds out what the modules define and begins to warm up what they need. Rejects when a module is broken. */
  async start(): Promise<ModuleCatalog> {
    const { modules, memoryBytes } = this.#options;
    const catalog = await readCatalog(modules, () => this.#createProcess(memoryBytes));
    this.#inline = new InlineIsolate(catalog.inline);
    if (usesIsolation(catalog, "process")) this.#pools.process.start();
    if (usesIsolation(catalog, "thread")) this.#pools.thread.start();
    return catalog;
  }

  /** Lends an isolate for an attempt of this type, with this memory cap. Rejects when none can be started. */
  acquire(type: string, isolation: Isolation, memoryBytes: number): Isolate | Promise<Isolate> {
    const pool = this.#keyedPools.get(type) ?? (isolation === "inline" ? undefined : this.#pools[isolation]);
    return pool === undefined ? this.#inline : pool.acquire(memoryBytes);
  }

  /** Takes an isolate back after its attempt ended. */
  release(isolate: Isolate): void {
    // Each knows its own.
    for (const pool of this.#allPools()) pool.release(isolate);
  }

  /** Ends every isolate, whatever it does. */
  async close(): Promise<void> {
    await Promise.all([...this.#allPools().map((pool) => pool.close()), this.#inline.close()]);
  }

  #allPools(): readonly IsolatePool[] {
    return [this.#pools.process, this.#pools.thread, ...this.#keyedPools.values()];
  }

  #createProcess(memoryBytes: number, keyed?: KeyedType): ProcessIsolate {
    const { modules, nice, freezeKillMs, environment, logger } = this.#options;
    return new ProcessIsolate({
      modules: keyed === undefined ? modules : [keyed.module],
      keys: keyed?.keys,
      memoryBytes,
      nice,
      freezeKillMs,
      environment,
      logger,
      memoryWatch: this.#memoryWatch,
    });
  }

  #createThread(memoryBytes: number): ThreadIsolate {
    const { modules, nice, environment, logger } = this.#options;
    return new ThreadIsolate({ modules, memoryBytes, nice, environment, logger });
  }
}
