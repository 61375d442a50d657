import { describeWithFaults } from "#test/faults/describe-with-faults.js";
import { refusedWritesSuite } from "#test/faults/refused-writes-suite.js";

describeWithFaults("When the file system of the database becomes read-only", function () {
  this.timeout(60_000);
  refusedWritesSuite({
    reason: "DATABASE_READ_ONLY",
    advice: /cannot be written/,
    begin: ({ shim }) => shim.setReadOnly(true),
    end: ({ shim }) => shim.setReadOnly(false),
  });
});
