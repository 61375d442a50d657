import type { Logger } from "#libs/log/logger.js";
import { IntervalService } from "#libs/service/interval-service.js";
import { ServiceGroup, type Service } from "#libs/service/service.js";
import type { Redispatcher } from "#task-service/dispatch/redispatcher.js";
import type { TaskStore } from "#task-service/store/task-store.js";
import { DueTasks } from "#task-service/upkeep/due-tasks.js";
import type { OverdueTasks } from "#task-service/upkeep/overdue-tasks.js";
import type { HealthMonitor } from "#task-service/upkeep/health-monitor.js";
import type { LeaseKeeper } from "#task-service/upkeep/lease-keeper.js";
import { deleteExpired } from "#task-service/upkeep/retention.js";
import type { UnansweredCancels } from "#task-service/upkeep/unanswered-cancels.js";
import type { UnwatchedTasks } from "#task-service/upkeep/unwatched-tasks.js";
import type { WorkerRegistry } from "#task-service/workers/worker-registry.js";

/** What upkeep looks after. */
export interface UpkeepOptions {
  readonly store: TaskStore;
  readonly registry: WorkerRegistry;
  readonly leases: LeaseKeeper;
  readonly redispatcher: Redispatcher;
  readonly overdue: OverdueTasks;
  readonly cancels: UnansweredCancels;
  readonly unwatched: UnwatchedTasks;
  readonly monitor: HealthMonitor;
  readonly logger: Logger;
  /** 0: finished tasks are kept for ever. */
  readonly retentionHours: number;
}

const LEASE_INTERVAL_MS = 100;
const DUE_INTERVAL_MS = 1000;
const OVERDUE_INTERVAL_MS = 500;
const DISPATCH_INTERVAL_MS = 1000;
const CANCELS_INTERVAL_MS = 1000;
const UNWATCHED_INTERVAL_MS = 500;
const HEALTH_INTERVAL_MS = 2000;
const RETENTION_INTERVAL_MS = 60_000;

/** The interval loops that repair and forget. */
export class UpkeepLoops implements Service {
  readonly #redispatcher: Redispatcher;
  readonly #dispatch: IntervalService;
  readonly #health: IntervalService;
  readonly #group: ServiceGroup;

  constructor(options: UpkeepOptions) {
    const { store, registry, leases, redispatcher, monitor, logger } = options;
    this.#redispatcher = redispatcher;
    const dueTasks = new DueTasks(store);
    const due: IntervalService = new IntervalService({
      name: "due tasks",
      intervalMs: DUE_INTERVAL_MS,
      runOnce: () => dueTasks.runOnce(due, DUE_INTERVAL_MS),
      logger,
    });
    const overdue = new IntervalService({
      name: "total timeouts",
      intervalMs: OVERDUE_INTERVAL_MS,
      runOnce: () => options.overdue.runOnce(),
      logger,
    });
    this.#dispatch = new IntervalService({
      name: "redispatch",
      intervalMs: DISPATCH_INTERVAL_MS,
      runOnce: () => redispatcher.runOnce(),
      logger,
    });
    const cancels = new IntervalService({
      name: "unanswered cancels",
      intervalMs: CANCELS_INTERVAL_MS,
      runOnce: () => options.cancels.runOnce(),
      logger,
    });
    const unwatched = new IntervalService({
      name: "unwatched tasks",
      intervalMs: UNWATCHED_INTERVAL_MS,
      runOnce: () => options.unwatched.runOnce(),
      logger,
    });
    const lease = new IntervalService({
      name: "leases",
      intervalMs: LEASE_INTERVAL_MS,
      runOnce: async () => {
        registry.forgetSilent();
        await leases.runOnce();
      },
      logger,
    });
    this.#health = new IntervalService({
      name: "health",
      intervalMs: HEALTH_INTERVAL_MS,
      runOnce: () => monitor.runOnce(),
      logger,
    });
    store.onCommit((commit) => {
      if (commit.changes.some((change) => change.isWaiting)) due.wake();
    });
    const often = [due, overdue, this.#dispatch, cancels, unwatched, lease, this.#health];
    this.#group = new ServiceGroup([...often, ...retention(options)]);
  }

  async start(): Promise<void> {
    await this.#group.start();
    this.#health.wake();
  }

  stop(): Promise<void> {
    return this.#group.stop();
  }

  /** NATS is back: look after streams and dispatched tasks at once. */
  onReconnected(): void {
    this.#redispatcher.suspectTopology();
    this.#dispatch.wake();
  }
}

function retention({ store, logger, retentionHours }: UpkeepOptions): IntervalService[] {
  if (retentionHours === 0) return [];
  const runOnce = async (signal: AbortSignal) => {
    const count = await deleteExpired(store, retentionHours * 3_600_000, signal);
    if (count > 0) logger.info({ count }, "finished tasks deleted");
  };
  return [new IntervalService({ name: "retention", intervalMs: RETENTION_INTERVAL_MS, runOnce, logger })];
}
