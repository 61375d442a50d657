import { stripVTControlCharacters } from "node:util";
import { expect } from "chai";
import { progressText, spanText, stateText } from "#cli/output/task-text.js";
import { Progress, Task_State as State } from "#libs/proto/gen/taskwire/v1/task.js";

describe("progressText", () => {
  it("draws a bar from a fraction, or from current and total", () => {
    expect(progressText(Progress.fromPartial({ fraction: 0.5 }))).to.equal("██████████░░░░░░░░░░  50%");
    expect(progressText(Progress.fromPartial({ current: 1, total: 4, message: "reading" }))).to.equal(
      "█████░░░░░░░░░░░░░░░  25%  1/4  reading",
    );
  });

  it("says what is known when the end is not", () => {
    expect(progressText(Progress.fromPartial({ current: 12 }))).to.equal("12");
    expect(progressText(Progress.fromPartial({ current: 0, total: 0 }))).to.equal("0/0");
    expect(progressText(undefined)).to.equal("");
  });

  it("never claims 100% before the end", () => {
    expect(progressText(Progress.fromPartial({ fraction: 0.999 }))).to.include(" 99%");
  });
});

describe("spanText", () => {
  it("says spans as people do", () => {
    const spans = [-5, 950, 3200, 245_000, 7_380_000, 273_600_000].map(spanText);
    expect(spans).to.deep.equal(["0 ms", "950 ms", "3.2 s", "4 min 5 s", "2 h 3 min", "3 d 4 h"]);
  });
});

describe("stateText", () => {
  it("names every state, also one of a newer service", () => {
    expect(stripVTControlCharacters(stateText(State.COMPLETED))).to.equal("COMPLETED");
    expect(stateText(99 as State)).to.equal("STATE_99");
  });
});
