import { expect } from "chai";
import { toPlainJson } from "#cli/output/plain-json.js";
import {
  Task,
  Task_State as State,
  TaskAttempt,
  TaskAttempt_Outcome as Outcome,
} from "#libs/proto/gen/taskwire/v1/task.js";
import {
  LogLine_Level as Level,
  TaskCancelled_Phase as Phase,
  TaskEvent,
} from "#libs/proto/gen/taskwire/v1/task_event.js";

const time = new Date("2026-03-01T08:00:00.123Z");

describe("toPlainJson", () => {
  it("says enums by name and times in RFC 3339, and leaves out what is unset", () => {
    const task = Task.fromPartial({ id: "1", type: "a.b", state: State.RUNNING, createTime: time, sequence: 7 });
    expect(toPlainJson(task)).to.include({ state: "RUNNING", createTime: "2026-03-01T08:00:00.123Z", sequence: 7 });
    expect(toPlainJson(task)).not.to.have.any.keys("result", "description", "endTime", "progress");
  });

  it("says attempts, with their outcomes by name", () => {
    const error = { code: "WORKER_LOST", message: "silent", retryable: true };
    const attempt = TaskAttempt.fromPartial({
      number: 2,
      startTime: time,
      outcome: Outcome.LOST,
      error,
      counted: true,
    });
    expect(toPlainJson(attempt)).to.deep.equal({
      number: 2,
      startTime: "2026-03-01T08:00:00.123Z",
      outcome: "LOST",
      error,
      counted: true,
    });
  });

  it("says a task's warnings and deadline", () => {
    const warning = { code: "SKIPPED", message: "page 3", retryable: false };
    const task = Task.fromPartial({ id: "1", warnings: [warning], deadlineTime: time });
    expect(toPlainJson(task)).to.deep.include({ warnings: [warning], deadlineTime: "2026-03-01T08:00:00.123Z" });
  });

  it("passes users' content on untouched", () => {
    const payload = { state: 2, nested: { level: 1, empty: "", none: null }, $case: "x", value: 1 };
    const task = Task.fromPartial({ id: "1", payload, result: "", labels: { state: "2" } });
    expect(toPlainJson({ ...task, result: [1, { state: 3 }] })).to.deep.include({
      payload,
      result: [1, { state: 3 }],
      labels: { state: "2" },
    });
  });

  it("puts an event's content under the name of its kind", () => {
    const log = TaskEvent.fromPartial({
      sequence: 3,
      state: State.RUNNING,
      kind: { $case: "log", value: { level: Level.WARN, message: "careful" } },
    });
    expect(toPlainJson(log)).to.deep.include({
      kind: "log",
      state: "RUNNING",
      log: { level: "WARN", message: "careful", capped: false },
    });
    const cancelled = TaskEvent.fromPartial({ kind: { $case: "cancelled", value: { phase: Phase.KILLED } } });
    expect(toPlainJson(cancelled)).to.deep.include({ kind: "cancelled", cancelled: { phase: "KILLED" } });
  });

  it("says an event's type and queue only where the stream tells them", () => {
    const event = TaskEvent.fromPartial({ sequence: 2, kind: { $case: "cancelAcknowledged", value: {} } });
    expect(toPlainJson(event)).not.to.have.any.keys("type", "queue");
    expect(toPlainJson({ ...event, type: "a.b", queue: "q" })).to.include({ type: "a.b", queue: "q" });
  });

  it("shows a state of a newer service as its number", () => {
    const task = { ...Task.fromPartial({ id: "1" }), state: 99 as State };
    expect(toPlainJson(task)).to.include({ state: 99 });
  });
});
