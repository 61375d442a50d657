import { expect } from "chai";
import { formatBar, formatCount, formatPercent, formatSeconds } from "#cli/demo/progress-text.js";

describe("progress texts", () => {
  it("fill a bar by its share, whatever the share is", () => {
    expect([formatBar(0, 4), formatBar(0.5, 4), formatBar(1, 4), formatBar(7, 4), formatBar(-1, 4)]).to.deep.equal([
      "░░░░",
      "██░░",
      "████",
      "████",
      "░░░░",
    ]);
  });

  it("say 100 % only when all is done", () => {
    expect([formatPercent(0, 0), formatPercent(5, 100), formatPercent(999, 1000), formatPercent(3, 3)]).to.deep.equal([
      "  0 %",
      "  5 %",
      " 99 %",
      "100 %",
    ]);
  });

  it("give figures as many decimals as help", () => {
    expect([formatCount(1234.5), formatCount(56.4), formatCount(7.84)]).to.deep.equal(["1,235", "56", "7.8"]);
    expect(formatSeconds(4210)).to.equal("4.2 s");
  });
});
