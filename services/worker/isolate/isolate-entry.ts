import { setPriority } from "node:os";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { IsolateChild } from "#worker/isolate/isolate-child.js";

function enterThread(port: NonNullable<typeof parentPort>): void {
  // On Linux the priority of “process 0” is that of the calling thread; elsewhere it would be the whole worker's.
  const nice: unknown = workerData;
  if (process.platform === "linux" && typeof nice === "number") setPriority(0, nice);
  const child = new IsolateChild((message) => {
    port.postMessage(message);
  });
  port.on("message", (message: unknown) => {
    child.receive(message);
  });
}

function enterProcess(): void {
  const parent = process.ppid;
  // Ctrl-C on a terminal reaches the whole process group: the worker decides when its isolates end, not the terminal.
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => undefined);
  process.on("disconnect", () => {
    process.exit();
  });
  const child = new IsolateChild((message) => {
    if (process.connected) process.send?.(message);
    if (message.kind === "ready") watchForOrphanhood(parent);
  });
  process.on("message", (message: unknown) => {
    child.receive(message);
  });
}

/** A handler that spins keeps 'disconnect' from being heard, so a thread of its own looks whether the worker is still there. */
function watchForOrphanhood(parent: number): void {
  const watch = new Worker(new URL("./orphan-watch.js", import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 },
    execArgv: [],
    workerData: parent,
  });
  watch.unref();
}

if (isMainThread) enterProcess();
else if (parentPort !== null) enterThread(parentPort);
