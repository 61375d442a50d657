import { DURATION_BOUNDS_SECONDS } from "#libs/metrics/distribution.js";
import { MetricSet, single, type Sample } from "#libs/metrics/metric-set.js";
import type { CallMetrics } from "#task-service/metrics/call-metrics.js";
import { Counted } from "#task-service/store/commit-counts.js";
import type { StoreStatistics } from "#task-service/store/store-statistics.js";

/** Where the numbers are. */
export interface MetricSources {
  readonly store: { readonly statistics: StoreStatistics };
  readonly calls: CallMetrics;
  readonly bus: { readonly connected: boolean };
  readonly watchers: readonly { readonly watcherCount: number }[];
  readonly dispatcher: { readonly redispatchCount: number };
  readonly registry: { living(): readonly { readonly heartbeat: { readonly slots: number } }[] };
  readonly isDatabaseWritable: () => boolean;
}

const FINISHED = { completed: Counted.COMPLETED, failed: Counted.FAILED, cancelled: Counted.CANCELLED };

/** The metrics of a task-service. Every value is read when it is asked for. */
export function serviceMetrics(sources: MetricSources): MetricSet {
  const metrics = new MetricSet();
  addTasks(metrics, sources.store.statistics);
  addStore(metrics, sources.store.statistics);
  addCalls(metrics, sources.calls);
  addParts(metrics, sources);
  return metrics;
}

function addTasks(metrics: MetricSet, store: StoreStatistics): void {
  const counted = (what: Counted) => () =>
    [...store.queues].map((queue) => ({ labels: { queue }, value: store.total(what, queue) }));
  const labels = ["queue"] as const;
  metrics.counter({ name: "taskwire_tasks_created_total", help: "Tasks accepted.", labels }, counted(Counted.CREATED));
  metrics.counter(
    { name: "taskwire_tasks_reopened_total", help: "Tasks opened again by RetryTask.", labels },
    counted(Counted.REOPENED),
  );
  metrics.counter(
    { name: "taskwire_tasks_finished_total", help: "Tasks that reached a terminal state.", labels: ["queue", "state"] },
    () =>
      Object.entries(FINISHED).flatMap(([state, what]) =>
        counted(what)().map(({ labels: { queue }, value }) => ({ labels: { queue, state }, value })),
      ),
  );
  metrics.counter(
    { name: "taskwire_attempts_started_total", help: "Attempts begun by workers.", labels },
    counted(Counted.STARTED),
  );
  metrics.gauge({ name: "taskwire_tasks_open", help: "Unfinished tasks.", labels: ["queue", "state"] }, () =>
    [...store.queues].flatMap((queue) => {
      const { open, running } = store.held(queue);
      return [
        { labels: { queue, state: "waiting" }, value: open - running },
        { labels: { queue, state: "running" }, value: running },
      ];
    }),
  );
  const byCode = (what: Counted) => (): Sample<"code", number>[] =>
    [...store.totals(what)].map(([code, value]) => ({ labels: { code }, value }));
  metrics.counter(
    {
      name: "taskwire_attempts_ended_total",
      help: "Attempts by how they ended: COMPLETED, one of Taskwire's own codes, or HANDLER for any other.",
      labels: ["code"],
    },
    byCode(Counted.ATTEMPTS),
  );
  metrics.counter(
    { name: "taskwire_tasks_failed_total", help: "Failed tasks by the code they failed with.", labels: ["code"] },
    byCode(Counted.FAILURES),
  );
}

function addStore(metrics: MetricSet, store: StoreStatistics): void {
  metrics.counter({ name: "taskwire_reports_applied_total", help: "Reports of workers that became facts." }, () =>
    single(store.total(Counted.REPORTS)),
  );
  metrics.counter(
    {
      name: "taskwire_stale_reports_rejected_total",
      help: "Reports that were refused because their worker does not hold the attempt.",
    },
    () => single(store.total(Counted.STALE_REPORTS)),
  );
  metrics.counter(
    { name: "taskwire_leases_expired_total", help: "Attempts that ended because their worker was not heard of." },
    () => single(store.total(Counted.LEASES_EXPIRED)),
  );
  metrics.histogram(
    { name: "taskwire_database_commit_duration_seconds", help: "From handing a group to the writer to its answer." },
    DURATION_BOUNDS_SECONDS,
    () => single(store.commitSeconds),
  );
  metrics.histogram(
    { name: "taskwire_database_group_commands", help: "Commands that were written in one transaction." },
    store.groupSizes.bounds,
    () => single(store.groupSizes),
  );
}

function addCalls(metrics: MetricSet, { methods }: CallMetrics): void {
  const named = () => [...methods].map(([path, calls]) => ({ method: path.slice(1), ...calls }));
  metrics.counter(
    { name: "taskwire_grpc_calls_total", help: "gRPC calls that have ended.", labels: ["method", "code"] },
    () =>
      named().flatMap(({ method, codes }) => [...codes].map(([code, value]) => ({ labels: { method, code }, value }))),
  );
  metrics.histogram(
    {
      name: "taskwire_grpc_call_duration_seconds",
      help: "How long gRPC calls took; streams: how long they were open.",
      labels: ["method"],
    },
    DURATION_BOUNDS_SECONDS,
    () => named().map(({ method, seconds }) => ({ labels: { method }, value: seconds })),
  );
}

function addParts(
  metrics: MetricSet,
  { bus, watchers, dispatcher, registry, isDatabaseWritable }: MetricSources,
): void {
  metrics.counter(
    { name: "taskwire_redispatches_total", help: "Dispatches that were repeated because nobody started the task." },
    () => single(dispatcher.redispatchCount),
  );
  metrics.gauge({ name: "taskwire_watchers", help: "Watch streams of tasks that are open." }, () =>
    single(watchers.reduce((sum, { watcherCount }) => sum + watcherCount, 0)),
  );
  metrics.gauge({ name: "taskwire_workers", help: "Workers that are alive." }, () => single(registry.living().length));
  metrics.gauge({ name: "taskwire_worker_slots", help: "Attempts the living workers can run at once." }, () =>
    single(registry.living().reduce((sum, { heartbeat }) => sum + heartbeat.slots, 0)),
  );
  metrics.gauge({ name: "taskwire_nats_connected", help: "1 while NATS is connected." }, () =>
    single(Number(bus.connected)),
  );
  metrics.gauge({ name: "taskwire_database_writable", help: "1 while the database takes writes." }, () =>
    single(Number(isDatabaseWritable())),
  );
}
