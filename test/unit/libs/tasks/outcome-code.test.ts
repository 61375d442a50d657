import { expect } from "chai";
import { isErrorCode, OUTCOME_CODES } from "#libs/tasks/outcome-code.js";

describe("isErrorCode", () => {
  it("takes 1 to 63 capital letters, digits and underscores that begin with a letter", () => {
    for (const code of ["A", "E2_BIG", `A${"_".repeat(62)}`]) expect(isErrorCode(code), code).to.equal(true);
    for (const code of ["", "a", "1A", "_A", "A-B", "A B", "A\n", "É", `A${"_".repeat(63)}`])
      expect(isErrorCode(code), JSON.stringify(code)).to.equal(false);
  });

  it("takes every code of Taskwire's own, each of which is there once", () => {
    for (const code of OUTCOME_CODES) expect(isErrorCode(code), code).to.equal(true);
    expect(new Set(OUTCOME_CODES).size).to.equal(OUTCOME_CODES.length);
  });
});
