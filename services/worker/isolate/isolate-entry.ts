import { setPriority } from "node:os";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { IsolateChild } from "#worker/isolate/isolate-child.js";
import { killProcessGroup } from "#worker/isolate/kill-process-group.js";

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
  // Opened now, lest the first line a handler writes look like something it left running.
  void [process.stdout, process.stderr];
  const freezeKillMs = Number(process.argv[2]);
  // Some supervisors signal every process of a service: the worker decides when its isolates end.
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => undefined);
  process.on("disconnect", () => {
    // Added last, so that the exit listeners of handlers run before it.
    process.once("exit", () => {
      killProcessGroup(process.pid);
    });
    process.exit();
  });
  const child = new IsolateChild((message) => {
    if (process.connected) process.send?.(message);
    if (message.kind === "ready") watchForOrphanhood(parent, freezeKillMs);
  });
  process.on("message", (message: unknown) => {
    child.receive(message);
  });
}

/** A handler that spins keeps 'disconnect' from being heard, so a thread of its own looks whether the worker is still there. */
function watchForOrphanhood(parent: number, freezeKillMs: number): void {
  const watch = new Worker(new URL("./orphan-watch.js", import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 },
    execArgv: [],
    workerData: [parent, freezeKillMs],
  });
  watch.unref();
}

if (isMainThread) enterProcess();
else if (parentPort !== null) enterThread(parentPort);
