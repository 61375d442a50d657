import { expect } from "chai";
import { BROKEN_RECORDS } from "#test/robustness/broken-records.js";
import { BROKEN_TASKS, STOPS } from "#test/robustness/broken-tasks.js";
import { BROKEN_WATCH_ENDS } from "#test/robustness/broken-watch-ends.js";
import { BROKEN_WATCHES } from "#test/robustness/broken-watches.js";
import { checkPromises } from "#test/robustness/check-promises.js";
import { finalOf, journalLine, SEEN_MS, soundHistory, STOPPED } from "#test/robustness/sound-history.js";

describe("The robustness checker", () => {
  it("finds every promise held in a sound history, and has looked at something for each", () => {
    const verdicts = checkPromises(soundHistory());
    expect(verdicts).to.have.lengthOf(21);
    for (const verdict of verdicts) {
      expect(verdict.evidence, verdict.promise).to.deep.equal([]);
      expect(verdict.held, verdict.promise).to.equal(true);
      expect(verdict.checked, verdict.promise).to.be.greaterThan(0);
    }
  });

  for (const { what, promise, evidence, spoil } of [
    ...BROKEN_TASKS,
    ...BROKEN_RECORDS,
    ...BROKEN_WATCHES,
    ...BROKEN_WATCH_ENDS,
  ]) {
    it(`calls ${what} BROKEN`, () => {
      const history = soundHistory();
      spoil(history);
      const verdict = checkPromises(history).find((one) => promise.test(one.promise));
      expect(verdict?.held, verdict?.promise).to.equal(false);
      expect(verdict?.evidence.join("\n")).to.match(evidence);
    });
  }

  it("counts a lost worker's run that goes on apart, and does not call it broken", () => {
    const history = soundHistory();
    const last = finalOf(history, STOPPED).events[3];
    if (last?.kind?.$case === "cancelled") last.kind.value.phase = 4;
    history.journal.push(journalLine(STOPPED, 1, 11, "beat", SEEN_MS + 5));
    const verdict = checkPromises(history).find((one) => STOPS.test(one.promise));
    expect(verdict?.held).to.equal(true);
    expect(verdict?.notes.join("\n")).to.match(
      /lost workers: 1, of which 1 went on after the end was seen, at most 5 ms \(task stopped/,
    );
  });
});
