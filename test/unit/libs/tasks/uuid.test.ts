import { expect } from "chai";
import { isUuid } from "#libs/tasks/names.js";
import { UuidSource } from "#libs/tasks/uuid.js";

describe("UuidSource", () => {
  it("makes UUIDv7 that rise strictly, thousands within a millisecond, and carry their time", () => {
    const source = new UuidSource();
    const before = Date.now();
    let last = "";
    for (let count = 0; count < 20_000; count += 1) {
      const { id, timeMs } = source.next();
      expect(id > last, `${last} then ${id}`).to.equal(true);
      if (count % 1000 === 0) {
        expect(isUuid(id)).to.equal(true);
        expect(id).to.match(/^.{14}7.{4}[89ab]/);
        expect(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)).to.equal(timeMs);
        expect(timeMs).to.be.at.least(before);
      }
      last = id;
    }
  });
});
