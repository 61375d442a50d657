import { stripVTControlCharacters } from "node:util";
import { expect } from "chai";
import { exitCodeOf } from "#cli/watch/follow-tasks.js";
import { TaskLine } from "#cli/watch/task-line.js";
import { Task, Task_State as State } from "#libs/proto/gen/taskwire/v1/task.js";
import { LogLine_Level as Level, TaskEvent } from "#libs/proto/gen/taskwire/v1/task_event.js";

const start = new Date("2026-03-01T08:00:00Z");
const later = (seconds: number) => new Date(start.getTime() + seconds * 1000);
const pending = Task.fromPartial({ id: "ID", type: "a.b", state: State.PENDING, createTime: start, sequence: 1 });

type Kind = NonNullable<TaskEvent["kind"]>;

function apply(line: TaskLine, state: State, kind: Kind, attempt = 1): string[] {
  const event = {
    ...TaskEvent.fromPartial({ taskId: "ID", sequence: line.sequence + 1, state, attempt, time: later(1) }),
    kind,
  };
  return line.apply({ kind: "event", event });
}

const textOf = (line: TaskLine, now: Date) => stripVTControlCharacters(line.text(now));

describe("TaskLine", () => {
  it("shows a running task with its progress and the time since its start", () => {
    const line = new TaskLine(pending, 1);
    apply(line, State.RUNNING, { $case: "started", value: { workerId: "w", maxAttempts: 3 } });
    apply(line, State.RUNNING, {
      $case: "progress",
      value: { fraction: undefined, current: 1, total: 2, message: "half" },
    });
    expect(textOf(line, later(3))).to.equal("ID  a.b  RUNNING  2.0 s  ██████████░░░░░░░░░░  50%  1/2  half");
    expect(line.sequence).to.equal(3);
  });

  it("shows why a task waits for its next attempt, and which attempt it was", () => {
    const line = new TaskLine(pending, 1);
    const error = { code: "HANDLER_ERROR", message: "it broke", retryable: true, details: undefined };
    apply(line, State.PENDING, { $case: "retryScheduled", value: { error, runTime: later(60) } }, 2);
    expect(textOf(line, later(3)))
      .to.include("PENDING  attempt 2")
      .and.include("HANDLER_ERROR: it broke; tries again at ");
  });

  it("shows the error of a failed task, and stops its clock", () => {
    const line = new TaskLine(pending, 1);
    const error = { code: "HANDLER_ERROR", message: "it broke", retryable: false, details: undefined };
    apply(line, State.FAILED, { $case: "failed", value: { error } });
    expect(textOf(line, later(100))).to.equal("ID  a.b  FAILED  1.0 s  HANDLER_ERROR: it broke");
    expect(exitCodeOf([line])).to.equal(1);
  });

  it("gives back log lines and output to print above", () => {
    const line = new TaskLine(pending, 1);
    const logged = apply(line, State.RUNNING, {
      $case: "log",
      value: { level: Level.WARN, message: "careful", fields: undefined, capped: false },
    });
    expect(logged.map(stripVTControlCharacters)[0]).to.match(/warn {2}careful$/);
    const put = apply(line, State.RUNNING, {
      $case: "output",
      value: { name: "output", text: "a\nb\n", offset: 0, capped: false },
    });
    expect(put).to.deep.equal(["a", "b"]);
  });

  it("begins anew when a finished task is opened again", () => {
    const line = new TaskLine(pending, 1);
    const error = { code: "HANDLER_ERROR", message: "it broke", retryable: false, details: undefined };
    apply(line, State.FAILED, { $case: "failed", value: { error } });
    apply(line, State.PENDING, { $case: "reopened", value: { runTime: later(1) } });
    expect(textOf(line, later(3))).to.equal("ID  a.b  PENDING  2.0 s  was opened again");
    apply(line, State.COMPLETED, { $case: "completed", value: { result: 1, resultOmitted: false, warnings: [] } }, 2);
    expect(textOf(line, later(100)))
      .to.include("COMPLETED  attempt 2")
      .and.not.to.include("it broke");
    expect(exitCodeOf([line])).to.equal(0);
  });

  it("tells how far a cancel is", () => {
    const line = new TaskLine(pending, 1);
    const notes = (
      [
        { $case: "cancelRequested", value: { reason: "" } },
        { $case: "cancelDelivered", value: { workerId: "w" } },
        { $case: "cancelAcknowledged", value: {} },
        { $case: "cancelGraceExpired", value: { graceMs: 5000 } },
      ] satisfies Kind[]
    ).map((kind) => {
      apply(line, State.RUNNING, kind);
      return textOf(line, start).split("  ").at(-1);
    });
    expect(notes).to.deep.equal([
      "is being cancelled",
      "is being cancelled",
      "is being cancelled; its handler has been told",
      "did not stop in time and is being killed",
    ]);
  });

  it("says why a task was handed back and when it goes on", () => {
    const line = new TaskLine(pending, 1);
    const value = { reason: "not yet", code: "RETRY_LATER", runTime: later(60) };
    apply(line, State.PENDING, { $case: "released", value });
    expect(textOf(line, later(3))).to.match(/was handed back: not yet; goes on at \d\d:\d\d:\d\d$/);
  });

  it("prints refused attempts and the warnings of a completed task above", () => {
    const line = new TaskLine(pending, 1);
    const [refused] = apply(line, State.RUNNING, {
      $case: "staleAttemptRejected",
      value: { workerId: "w", reportedAttempt: 1 },
    });
    expect(stripVTControlCharacters(refused ?? "")).to.match(/warn {2}attempt 1 of worker w was refused/);
    const warnings = [{ code: "SKIPPED", message: "page 3", retryable: false, details: undefined }];
    const [warning] = apply(line, State.COMPLETED, {
      $case: "completed",
      value: { result: 1, resultOmitted: false, warnings },
    });
    expect(stripVTControlCharacters(warning ?? "")).to.match(/warn {2}SKIPPED: page 3$/);
  });

  it("cannot harm a terminal with what a handler says", () => {
    const line = new TaskLine(pending, 1);
    const evil = "a\u001b[2J\nb\tc";
    const progress = { fraction: undefined, current: undefined, total: undefined, message: evil };
    apply(line, State.RUNNING, { $case: "progress", value: progress });
    expect(textOf(line, later(1))).to.include("a\\x1b[2J\\nb c");
    const log = { level: Level.INFO, message: evil, fields: undefined, capped: false };
    const [logged] = apply(line, State.RUNNING, { $case: "log", value: log });
    expect(logged).to.include("a\\x1b[2J\\nb\tc");
    const output = { name: "output", text: evil, offset: 0, capped: false };
    expect(apply(line, State.RUNNING, { $case: "output", value: output })).to.deep.equal(["a\\x1b[2J", "b\tc"]);
  });

  it("takes a snapshot as its new state", () => {
    const line = new TaskLine(pending);
    line.apply({ kind: "snapshot", task: { ...pending, state: State.CANCELLED, sequence: 9 } });
    expect(line.sequence).to.equal(9);
    expect(exitCodeOf([line])).to.equal(3);
  });
});

describe("exitCodeOf", () => {
  it("is that of the worst end", () => {
    const ended = (state: State) => new TaskLine({ ...pending, state });
    expect(exitCodeOf([ended(State.COMPLETED)])).to.equal(0);
    expect(exitCodeOf([ended(State.COMPLETED), ended(State.CANCELLED)])).to.equal(3);
    expect(exitCodeOf([ended(State.CANCELLED), ended(State.FAILED)])).to.equal(1);
  });
});
