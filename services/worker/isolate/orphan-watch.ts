import { workerData } from "node:worker_threads";

const CHECK_EVERY_MS = 1000;
/** Told by the main thread, which read it while the worker was certainly alive; this thread may come too late for that. */
const parent: unknown = workerData;

/** Thread inside a process isolate: when the worker died without a word, ends the process even if its main thread spins. */
setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, "SIGKILL");
}, CHECK_EVERY_MS);
