const CHECK_EVERY_MS = 1000;
const parent = process.ppid;

/** Thread inside a process isolate: when the worker died without a word, ends the process even if its main thread spins. */
setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, "SIGKILL");
}, CHECK_EVERY_MS);
