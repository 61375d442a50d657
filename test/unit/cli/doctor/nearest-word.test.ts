import { expect } from "chai";
import { editDistance, nearestWord } from "#cli/doctor/nearest-word.js";

describe("The word that was meant", () => {
  it("counts letters put in, left out and exchanged", () => {
    expect(editDistance("", "abc")).to.equal(3);
    expect(editDistance("kitten", "sitting")).to.equal(3);
    expect(editDistance("same", "same")).to.equal(0);
  });

  it("is the nearest one, and none where none is near", () => {
    const words = ["TASKWIRE_LEASE_MS", "TASKWIRE_HEARTBEAT_MS", "TASKWIRE_SLOTS"];
    expect(nearestWord("TASKWIRE_LEAS_MS", words)).to.equal("TASKWIRE_LEASE_MS");
    expect(nearestWord("TASKWIRE_SLOT", words)).to.equal("TASKWIRE_SLOTS");
    expect(nearestWord("TASKWIRE_QUITE_ANOTHER", words)).to.equal(undefined);
  });
});
