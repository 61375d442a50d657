/** A process that tells its parent, whenever it is asked, what its clocks say. */
process.on("message", () => {
  process.send?.({ nowMs: Date.now(), newMs: new Date().getTime(), monotonicMs: performance.now() });
});
