import { describeWithFaults } from "#test/faults/describe-with-faults.js";
import { refusedWritesSuite } from "#test/faults/refused-writes-suite.js";

for (const [what, call] of [
  ["writes", "setWriteError"],
  ["fsyncs", "setFsyncError"],
] as const) {
  describeWithFaults(`When ${what} of the database fail (EIO)`, function () {
    this.timeout(60_000);
    refusedWritesSuite({
      reason: "DATABASE_UNAVAILABLE",
      advice: /Look at its disk/,
      begin: ({ shim }) => shim[call](true),
      end: ({ shim }) => shim[call](false),
    });
  });
}
