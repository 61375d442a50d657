import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { delay } from "#libs/async/delay.js";
import { TaskwireClient } from "#libs/client/taskwire-client.js";
import { encryptionSettings } from "#libs/config/encryption.js";
import { environment } from "#libs/config/environment.js";
import { startNatsServer } from "#libs/nats-server/start-nats-server.js";
import { ChildService } from "#cli/stack/child-service.js";
import { lockDataDir, type DataLock } from "#cli/stack/data-lock.js";
import { NatsService } from "#cli/stack/nats-service.js";

/** How a {@link LocalStack} is started. */
export interface LocalStackOptions {
  /** Everything is kept here: `nats/`, `taskwire.db`, `logs/`. Made if missing. */
  readonly dataDir: string;
  /** Ports of the loopback interface; default 0: free ones. */
  readonly ports?: { readonly grpc?: number; readonly nats?: number; readonly http?: number };
  /** How many workers; default 1. */
  readonly workers?: number;
  /** More arguments of `taskwire work`, for example `["--tasks", "./my-tasks.js"]`. */
  readonly workerArgs?: readonly string[];
  /** More settings of the task-service. */
  readonly serviceEnv?: Readonly<Record<string, string>>;
  /** More settings of the workers. */
  readonly workerEnv?: Readonly<Record<string, string>>;
  /** One log for all processes; default: one each under `logs/`. */
  readonly logFile?: string;
  /** Whether `TASKWIRE_…` variables of this process, and those of encryption, count for its children too; default false, for a stack that depends on nothing outside. */
  readonly inheritSettings?: boolean;
}

/** What one worker has of its own. */
interface WorkerOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A running NATS, task-service and workers, each a process of its own. They end with this process, however it ends. */
export interface LocalStack {
  /** Of the gRPC server: `127.0.0.1:PORT`. */
  readonly address: string;
  readonly natsUrl: string;
  /** Of the task-service's HTTP port: `http://127.0.0.1:PORT`. */
  readonly httpUrl: string;
  readonly service: ChildService;
  readonly workers: readonly ChildService[];
  readonly nats: NatsService;
  /** Starts one more worker, by default with the stack's own arguments and settings. */
  addWorker(options?: WorkerOptions): Promise<ChildService>;
  /** Calls the listener when a process ends that was not told to. */
  onUnexpectedExit(listener: (name: string, how: string) => void): void;
  /** Stops everything in reverse order. May be called more than once. */
  stop(): Promise<void>;
}

/** A local stack is stopped by somebody who waits for it. */
const DRAIN_TIMEOUT_MS = "5000";
/** Settings of other names than ours; see `libs/config/encryption.ts`. */
const OUTER_SETTINGS: readonly string[] = [
  encryptionSettings.encryptionKey.env,
  encryptionSettings.encryptionOldKeys.env,
  encryptionSettings.environment.env,
];
const HEARD_TIMEOUT_MS = 15_000;
const HEARD_POLL_MS = 25;

/** Starts NATS, then the task-service and the workers, and returns when all are ready. When one fails, the others are stopped again. */
export async function startLocalStack(options: LocalStackOptions): Promise<LocalStack> {
  const stack = new ProcessStack(options);
  try {
    await stack.start();
  } catch (error) {
    await stack.stop();
    throw error;
  }
  return stack;
}

class ProcessStack implements LocalStack {
  readonly workers: ChildService[] = [];
  readonly #options: LocalStackOptions;
  readonly #dataDir: string;
  readonly #listeners: ((name: string, how: string) => void)[] = [];
  #nats: NatsService | undefined;
  #service: ChildService | undefined;
  #lock: DataLock | undefined;
  #grpcPort: number;
  #httpPort: number;
  #workerCount = 0;

  constructor(options: LocalStackOptions) {
    this.#options = options;
    this.#dataDir = resolve(options.dataDir);
    this.#grpcPort = options.ports?.grpc ?? 0;
    this.#httpPort = options.ports?.http ?? 0;
  }

  get nats(): NatsService {
    if (this.#nats === undefined) throw new Error("the stack has not started");
    return this.#nats;
  }

  get service(): ChildService {
    if (this.#service === undefined) throw new Error("the stack has not started");
    return this.#service;
  }

  get natsUrl(): string {
    return this.nats.url;
  }

  get address(): string {
    return `127.0.0.1:${this.service.ready.grpcPort}`;
  }

  get httpUrl(): string {
    return `http://127.0.0.1:${this.service.ready.httpPort}`;
  }

  async start(): Promise<void> {
    await mkdir(join(this.#dataDir, "logs"), { recursive: true });
    this.#lock = await lockDataDir(this.#dataDir);
    const natsOptions = { storeDir: join(this.#dataDir, "nats"), logFile: this.#logFile("nats") };
    const nats = await startNatsServer({ ...natsOptions, port: this.#options.ports?.nats ?? 0 });
    this.#nats = new NatsService(nats, natsOptions, (how) => {
      this.#announce("nats-server", how);
    });
    this.#service = this.#child("task-service", () => ["serve", ...this.#portFlags()], {
      TASKWIRE_NATS_URL: this.natsUrl,
      TASKWIRE_DATABASE: join(this.#dataDir, "taskwire.db"),
      ...this.#options.serviceEnv,
    });
    const workers = Array.from({ length: this.#options.workers ?? 1 }, () => this.#newWorker());
    // Told only once the service has started: its own words come first.
    const started = Promise.all(workers.map((worker) => worker.start()));
    started.catch(() => undefined);
    await this.#service.start();
    await started;
    // A restart comes back on the same port, so that clients find it again.
    this.#grpcPort = this.#service.ready.grpcPort ?? this.#grpcPort;
    this.#httpPort = this.#service.ready.httpPort ?? this.#httpPort;
    await this.#untilHeard(workers);
  }

  async addWorker(options?: WorkerOptions): Promise<ChildService> {
    const worker = this.#newWorker(options);
    await worker.start();
    await this.#untilHeard([worker]);
    return worker;
  }

  #newWorker(options: WorkerOptions = {}): ChildService {
    const name = `worker-${++this.#workerCount}`;
    const args = options.args ?? this.#options.workerArgs ?? [];
    const worker = this.#child(name, () => ["work", ...args], {
      TASKWIRE_NATS_URL: this.natsUrl,
      TASKWIRE_DRAIN_TIMEOUT_MS: DRAIN_TIMEOUT_MS,
      ...this.#options.workerEnv,
      ...options.env,
    });
    this.workers.push(worker);
    return worker;
  }

  onUnexpectedExit(listener: (name: string, how: string) => void): void {
    this.#listeners.push(listener);
  }

  async stop(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.stop()));
    await this.#service?.stop();
    await this.#nats?.stop();
    await this.#lock?.release();
    this.#lock = undefined;
  }

  /** Waits for the workers' first heartbeats at the service, so that a ping or a list of workers finds them. */
  async #untilHeard(workers: readonly ChildService[]): Promise<void> {
    const client = new TaskwireClient({ address: this.address });
    const deadline = Date.now() + HEARD_TIMEOUT_MS;
    try {
      for (;;) {
        const heard = new Set((await client.workers()).map(({ id }) => id));
        const unheard = workers.map(({ ready }) => ready.workerId ?? "").filter((id) => !heard.has(id));
        if (unheard.length === 0) return;
        if (Date.now() > deadline)
          throw new Error(
            `the task-service has not heard of worker ${unheard.join(", ")}; logs are in ${this.#dataDir}`,
          );
        await delay(HEARD_POLL_MS);
      }
    } finally {
      client.close();
    }
  }

  #child(name: string, args: () => readonly string[], env: Readonly<Record<string, string>>): ChildService {
    const logFile = this.#logFile(name);
    const child = new ChildService({ name, args, env: { ...this.#baseEnvironment(), ...env }, logFile });
    child.onUnexpectedExit((how) => {
      this.#announce(name, how);
    });
    return child;
  }

  #portFlags(): string[] {
    return ["--grpc-port", String(this.#grpcPort), "--http-port", String(this.#httpPort)];
  }

  #baseEnvironment(): Record<string, string | undefined> {
    const all = Object.entries(environment());
    if (this.#options.inheritSettings === true) return Object.fromEntries(all);
    return Object.fromEntries(all.filter(([name]) => !name.startsWith("TASKWIRE_") && !OUTER_SETTINGS.includes(name)));
  }

  #logFile(name: string): string {
    return this.#options.logFile ?? join(this.#dataDir, "logs", `${name}.log`);
  }

  #announce(name: string, how: string): void {
    for (const listener of this.#listeners) listener(name, how);
  }
}
