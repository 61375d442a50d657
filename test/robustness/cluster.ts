import { delay } from "#libs/async/delay.js";
import { TaskwireClient } from "#libs/client/taskwire-client.js";
import { freePort } from "#libs/nats-server/free-port.js";
import { startLocalStack, type LocalStack } from "#cli/local-stack.js";
import { FaultProxy } from "#test/robustness/fault-proxy.js";
import type { WorkerProcess } from "#test/robustness/history.js";
import { JOURNAL_VARIABLE } from "#test/robustness/journal-variable.js";
import { KeptProcess, type ProcessNews } from "#test/robustness/kept-process.js";
import { robustnessPath } from "#test/robustness/robustness-path.js";
import { until } from "#test/support/until.js";

/** What a cluster is started with. */
export interface ClusterOptions {
  readonly dataDir: string;
  readonly journalPath: string;
  readonly workers: readonly string[];
  readonly onNews: ProcessNews;
  /** More environment of the task-service and of the workers, for what is loaded into them. */
  readonly serviceEnv?: Readonly<Record<string, string>>;
  readonly workerEnv?: (name: string) => Readonly<Record<string, string>>;
}

const SERVICE = "task-service";
const SERVICE_ENV = {
  TASKWIRE_LEASE_MS: "2000",
  TASKWIRE_REDISPATCH_MS: "1000",
  TASKWIRE_WATCH_HEARTBEAT_MS: "300",
  TASKWIRE_SHUTDOWN_GRACE_MS: "1000",
};
const WORKER_ENV = {
  TASKWIRE_HEARTBEAT_MS: "200",
  TASKWIRE_SLOTS: "3",
  TASKWIRE_WARM_PROCESSES: "2",
  TASKWIRE_CANCEL_GRACE_MS: "500",
  TASKWIRE_DRAIN_TIMEOUT_MS: "1000",
  TASKWIRE_FREEZE_KILL_MS: "1500",
  TASKWIRE_BUILTIN_TASKS: "false",
};

/**
 * A real stack whose connections all go through proxies and whose processes are started again when they end: clients to the service,
 * the service to NATS, and each worker to NATS on a way of its own.
 */
export class Cluster {
  readonly stack: LocalStack;
  /** Reaches the service whatever the proxies do. */
  readonly client: TaskwireClient;
  readonly #proxies = new Map<string, FaultProxy>();
  readonly #kept = new Map<string, KeptProcess>();
  readonly #workerProcesses: WorkerProcess[] = [];
  readonly #options: ClusterOptions;

  private constructor(stack: LocalStack, proxies: readonly FaultProxy[], options: ClusterOptions) {
    this.stack = stack;
    this.#options = options;
    this.client = new TaskwireClient({ address: stack.address, retryForMs: 60_000 });
    for (const proxy of proxies) this.#proxies.set(proxy.name, proxy);
  }

  /** Starts everything and returns when it works. */
  static async start(options: ClusterOptions): Promise<Cluster> {
    const natsPort = await freePort();
    const links = [SERVICE, ...options.workers];
    const proxies = await Promise.all(links.map((name) => FaultProxy.start(name, () => natsPort)));
    const urlOf = (name: string) => `nats://127.0.0.1:${proxies[links.indexOf(name)]?.port}`;
    let cluster: Cluster | undefined;
    try {
      const stack = await startLocalStack({
        dataDir: options.dataDir,
        ports: { nats: natsPort },
        workers: 0,
        serviceEnv: { ...SERVICE_ENV, TASKWIRE_NATS_URL: urlOf(SERVICE), ...options.serviceEnv },
        workerArgs: ["--tasks", robustnessPath("robustness-tasks.js")],
      });
      cluster = new Cluster(stack, proxies, options);
      await cluster.#addClientsProxy();
      for (const name of options.workers) {
        await stack.addWorker({
          env: {
            ...WORKER_ENV,
            TASKWIRE_NATS_URL: urlOf(name),
            [JOURNAL_VARIABLE]: options.journalPath,
            ...options.workerEnv?.(name),
          },
        });
      }
      cluster.#keepUp();
      return cluster;
    } catch (error) {
      if (cluster === undefined) await Promise.all(proxies.map((proxy) => proxy.stop()));
      else await cluster.stop();
      throw error;
    }
  }

  /** Where clients call: through their proxy. */
  get address(): string {
    return `127.0.0.1:${this.proxy("clients").port}`;
  }

  /** Every process a worker has had so far. */
  get workerProcesses(): readonly WorkerProcess[] {
    return this.#workerProcesses;
  }

  /** The proxy of a link. */
  proxy(link: string): FaultProxy {
    const proxy = this.#proxies.get(link);
    if (proxy === undefined) throw new Error(`no link ${link}`);
    return proxy;
  }

  /** A process that is kept up: the task-service or a worker. */
  kept(name: string): KeptProcess {
    const kept = this.#kept.get(name);
    if (kept === undefined) throw new Error(`no process ${name}`);
    return kept;
  }

  /** Makes every link transparent and waits until every process is up and every worker is heard. */
  async heal(timeoutMs: number): Promise<void> {
    for (const proxy of this.#proxies.values()) proxy.heal();
    const kept = [...this.#kept.values()];
    await until("every process is up", () => kept.every(({ isUp }) => isUp), timeoutMs);
    const alive = async () => (await this.client.workers().catch(() => [])).filter(({ draining }) => !draining).length;
    await until("every worker is heard", async () => (await alive()) >= this.#options.workers.length, timeoutMs);
  }

  /** Stops everything in order. May be called more than once. */
  async stop(): Promise<void> {
    await Promise.all([...this.#kept.values()].map((kept) => kept.close()));
    this.client.close();
    await this.stack.stop();
    await Promise.all([...this.#proxies.values()].map((proxy) => proxy.stop()));
    this.#proxies.clear();
  }

  /** Stops the task-service in order and waits until its successor answers. */
  async restartService(): Promise<void> {
    await this.kept(SERVICE).drain();
    await delay(0);
    await until("the service is up again", () => this.kept(SERVICE).isUp, 30_000);
    await this.client.ready();
  }

  async #addClientsProxy(): Promise<void> {
    const port = Number(this.stack.address.split(":")[1]);
    this.#proxies.set("clients", await FaultProxy.start("clients", () => port));
  }

  #keepUp(): void {
    for (const child of [this.stack.service, ...this.stack.workers]) {
      const isWorker = child !== this.stack.service;
      const note = () => {
        if (isWorker) this.#workerProcesses.push({ workerId: child.ready.workerId ?? "", pid: child.pid });
      };
      note();
      const onNews: ProcessNews = (name, what) => {
        if (what === "is up") note();
        this.#options.onNews(name, what);
      };
      this.#kept.set(child.name, new KeptProcess(child, onNews));
    }
  }
}
