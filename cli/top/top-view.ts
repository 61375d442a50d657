import type { Worker } from "#libs/client/taskwire-client.js";
import type { FlowReading } from "#cli/top/task-flow.js";

/** A worker, as a line of a view. */
export interface WorkerLoad {
  readonly id: string;
  readonly hostname: string;
  readonly pid: number;
  readonly running: number;
  readonly slots: number;
  readonly draining: boolean;
  /** By the service's clock; null: never. */
  readonly lastSeenTime: Date | null;
}

/** What `taskwire top` shows at a time; as JSON it is one line. */
export interface TopView extends FlowReading {
  readonly time: Date;
  /** Since when events have been read: rates, failures and spreads are of those. */
  readonly sinceTime: Date;
  readonly workers: readonly WorkerLoad[];
  /** When the service has told the workers; null: it has not answered yet. */
  readonly workersTime: Date | null;
}

/** What a view says of a worker. */
export function workerLoad({ id, hostname, pid, running, slots, draining, lastSeenTime }: Worker): WorkerLoad {
  return { id, hostname, pid, running, slots, draining, lastSeenTime: lastSeenTime ?? null };
}
