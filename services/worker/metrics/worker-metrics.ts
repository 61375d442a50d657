import { MetricSet, single } from "#libs/metrics/metric-set.js";
import { OUTCOME_CODES } from "#libs/tasks/outcome-code.js";

/** Where the numbers are. */
export interface WorkerMetricSources {
  readonly slots: number;
  readonly attempts: AttemptCounts;
  readonly bus: { readonly connected: boolean };
  readonly running: () => number;
  readonly unstoredReportBytes: () => number;
}

const OWN_CODES: ReadonlySet<string> = new Set(OUTCOME_CODES);

/** Counts attempts by how they ended here: their outcome, or the code of their error; a handler's own codes are counted as `HANDLER`. */
export class AttemptCounts {
  readonly byCode = new Map<string, number>();

  add(outcome: string, errorCode: string | undefined): void {
    const ended = outcome === "succeeded" ? "COMPLETED" : outcome.toUpperCase();
    const code = errorCode === undefined ? ended : OWN_CODES.has(errorCode) ? errorCode : "HANDLER";
    this.byCode.set(code, (this.byCode.get(code) ?? 0) + 1);
  }
}

/** The metrics of a worker. Every value is read when it is asked for. */
export function workerMetrics({ slots, attempts, bus, running, unstoredReportBytes }: WorkerMetricSources): MetricSet {
  const metrics = new MetricSet();
  metrics.counter(
    {
      name: "taskwire_worker_attempts_ended_total",
      help: "Attempts by how they ended in this worker.",
      labels: ["code"],
    },
    () => [...attempts.byCode].map(([code, value]) => ({ labels: { code }, value })),
  );
  metrics.gauge({ name: "taskwire_worker_slots", help: "Attempts this worker can run at once." }, () => single(slots));
  metrics.gauge({ name: "taskwire_worker_running", help: "Attempts that run now." }, () => single(running()));
  metrics.gauge(
    { name: "taskwire_worker_unstored_report_bytes", help: "Reports that JetStream does not have yet." },
    () => single(unstoredReportBytes()),
  );
  metrics.gauge({ name: "taskwire_nats_connected", help: "1 while NATS is connected." }, () =>
    single(Number(bus.connected)),
  );
  return metrics;
}
