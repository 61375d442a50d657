import pc from "picocolors";
import { harmlessCell } from "#cli/output/harmless-text.js";
import { table } from "#cli/output/table.js";
import { spanText } from "#cli/output/task-text.js";
import type { Load } from "#cli/top/load-meter.js";
import type { TopView, WorkerLoad } from "#cli/top/top-view.js";

const LOAD_HEADINGS = ["PENDING", "RUNNING", "CREATED/s", "1 min", "FINISHED/s", "1 min", "FAILED"];
const SPREAD_HEADINGS = ["WAIT p50", "p99", "RUN p50", "p99"];
const QUEUE_HEADINGS = ["QUEUE", ...LOAD_HEADINGS, ...SPREAD_HEADINGS];
const WORKER_HEADINGS = ["WORKER", "PROCESS", "BUSY", "LAST SEEN", ""];
/** Two lines about the whole, headings and line of totals, an empty line, headings. */
const FIXED_LINES = 6;
const NOTHING = "–";

/** A view as lines for a terminal of a height, queues and workers cut to what fits; at least eight lines. */
export function topLines(view: TopView, height: number): string[] {
  const room = Math.max(2, height - FIXED_LINES);
  const workerRoom = Math.min(view.workers.length, Math.max(Math.floor(room / 2), room - view.queues.length));
  const queues = view.queues.map((load) => [harmlessCell(load.queue), ...loadCells(load)]);
  const workers = view.workers.map((worker) => workerCells(worker, view.time));
  const queueTable = fitted(QUEUE_HEADINGS, queues, room - workerRoom, ["all", ...loadCells(view.totals)]);
  const since = view.sinceTime.toTimeString().slice(0, 8);
  const parts = [`revision ${view.revision}`, `since ${since}`, ...(view.isCounted ? [] : ["counting open tasks"])];
  return [
    pc.bold(parts.join("  ")),
    pc.dim(
      `rates, failures, waits and runs are of events seen since ${since}; waits and runs of the last 1,000 a queue`,
    ),
    ...queueTable,
    "",
    ...workerLines(view, workers, workerRoom),
  ];
}

function workerLines({ workers, workersTime, time }: TopView, rows: readonly string[][], room: number): string[] {
  const ageMs = workersTime === null ? 0 : time.getTime() - workersTime.getTime();
  if (ageMs > STALE_MS) return [pc.yellow(`the service has not answered for ${spanText(ageMs)}`)];
  if (workers.length === 0) return [workersTime === null ? "" : "no workers; start one with `taskwire work`"];
  return fitted(WORKER_HEADINGS, rows, room);
}

const STALE_MS = 3000;

/** A table of at most so many rows; where some are left out the last line says how many. `last` is always there. */
function fitted(headings: readonly string[], rows: readonly string[][], room: number, last?: string[]): string[] {
  const shown = rows.length > room ? rows.slice(0, Math.max(0, room - 1)) : rows;
  const lines = table(headings, last === undefined ? shown : [...shown, last]).split("\n");
  if (shown.length < rows.length) lines.push(`… ${(rows.length - shown.length).toLocaleString("en")} more`);
  return lines;
}

function loadCells(load: Load): string[] {
  const { createdPerSecond, finishedPerSecond, waitMs, runMs } = load;
  return [
    load.pending.toLocaleString("en"),
    load.running.toLocaleString("en"),
    ...[createdPerSecond.interval, createdPerSecond.minute].map(rateText),
    ...[finishedPerSecond.interval, finishedPerSecond.minute].map(rateText),
    load.failed === 0 ? "0" : pc.red(load.failed.toLocaleString("en")),
    ...[waitMs.p50, waitMs.p99, runMs.p50, runMs.p99].map((spanMs) => (spanMs === null ? NOTHING : spanText(spanMs))),
  ];
}

function rateText(rate: number | null): string {
  if (rate === null) return NOTHING;
  return rate < 100 ? rate.toFixed(1) : Math.round(rate).toLocaleString("en");
}

function workerCells({ id, hostname, pid, running, slots, draining, lastSeenTime }: WorkerLoad, now: Date): string[] {
  return [
    harmlessCell(id),
    harmlessCell(`${hostname}:${pid}`),
    `${running}/${slots}`,
    lastSeenTime === null ? "" : `${spanText(now.getTime() - lastSeenTime.getTime())} ago`,
    draining ? "draining" : "",
  ];
}
