import { describeWithFaults } from "#test/faults/describe-with-faults.js";
import { refusedWritesSuite } from "#test/faults/refused-writes-suite.js";

describeWithFaults("When the disk of the database is full", function () {
  this.timeout(60_000);
  refusedWritesSuite({
    reason: "DATABASE_FULL",
    advice: /full|Look at its disk/,
    begin: ({ shim }) => shim.setDiskFull(true),
    end: ({ shim }) => shim.setDiskFull(false),
  });
});
