import type { Suite } from "mocha";
import { whyNoFaultShim } from "#test/faults/compile-fault-shim.js";

/** A suite that needs the fault shim; where there is none, it is one pending test that says why. */
export function describeWithFaults(title: string, suite: (this: Suite) => void): void {
  const reason = whyNoFaultShim();
  if (reason === undefined) {
    describe(title, suite);
    return;
  }
  describe(title, () => {
    it(`does not run here: the fault shim ${reason}`);
  });
}
