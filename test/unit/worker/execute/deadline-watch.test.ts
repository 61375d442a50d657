import { expect } from "chai";
import { DeadlineWatch, type Timed } from "#worker/execute/deadline-watch.js";
import { until } from "#test/support/until.js";

function timed(deadlines: DeadlineWatch, inMs: number, fired: string[], name: string): Timed & { deadlineMs: number } {
  const item = {
    deadlineMs: performance.now() + inMs,
    onDeadline: () => {
      fired.push(name);
      deadlines.forget(item);
    },
  };
  return item;
}

describe("DeadlineWatch", () => {
  it("calls deadlines in their order, whatever the order they came in", async () => {
    const deadlines = new DeadlineWatch();
    const fired: string[] = [];
    for (const [name, inMs] of [
      ["late", 90],
      ["never", Infinity],
      ["soon", 30],
      ["mid", 60],
    ] as const) {
      deadlines.watch(timed(deadlines, inMs, fired, name));
    }
    await until("the latest has fired", () => fired.includes("late"));
    expect(fired).to.deep.equal(["soon", "mid", "late"]);
    deadlines.close();
  });

  it("does not call what was forgotten", async () => {
    const deadlines = new DeadlineWatch();
    const fired: string[] = [];
    const forgotten = timed(deadlines, 10, fired, "forgotten");
    deadlines.watch(forgotten);
    deadlines.forget(forgotten);
    deadlines.watch(timed(deadlines, 40, fired, "kept"));
    await until("the kept one has fired", () => fired.includes("kept"));
    expect(fired).to.deep.equal(["kept"]);
    deadlines.close();
  });

  it("notices a deadline that moved closer", async () => {
    const deadlines = new DeadlineWatch();
    const fired: string[] = [];
    const moving = timed(deadlines, 3_600_000, fired, "moved");
    deadlines.watch(moving);
    moving.deadlineMs = performance.now() + 10;
    deadlines.watch(moving);
    await until("it has fired", () => fired.includes("moved"));
    deadlines.close();
  });
});
