import { readFileSync } from "node:fs";
import { workerData } from "node:worker_threads";
import { killProcessGroup } from "#worker/isolate/kill-process-group.js";

const LONGEST_CHECK_MS = 500;

/** Whether a process is stopped (SIGSTOP, Ctrl-Z, a debugger). False where /proc does not tell. */
function isStopped(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The state follows the command's name, which may hold anything.
    return /^\) [Tt]/.test(stat.slice(stat.lastIndexOf(")")));
  } catch {
    return false;
  }
}

/**
 * Thread inside a process isolate, heard even if the main thread spins. It ends the process when the worker died without a word, and
 * when the worker has been stopped for so long that its leases run out: then nobody renews them, and the attempt is somebody else's.
 * Counts from the last time the worker was seen running, so it is never later than the bound.
 */
function watch(parent: unknown, freezeKillMs: number): void {
  let runningAtMs = performance.now();
  const checkMs = freezeKillMs === 0 ? LONGEST_CHECK_MS : Math.min(LONGEST_CHECK_MS, freezeKillMs / 4);
  setInterval(() => {
    const now = performance.now();
    const isOrphan = process.ppid !== parent;
    if (freezeKillMs > 0 && !(typeof parent === "number" && isStopped(parent))) runningAtMs = now;
    if (isOrphan || (freezeKillMs > 0 && now - runningAtMs >= freezeKillMs)) killProcessGroup(process.pid);
  }, checkMs);
}

/** Told by the main thread: the worker, which it read while that was certainly alive, and how long it may be stopped (0: for ever). */
const told: readonly unknown[] = Array.isArray(workerData) ? workerData : [];
watch(told[0], Number(told[1]));
