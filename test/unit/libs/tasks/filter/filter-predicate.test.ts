import { expect } from "chai";
import { filterPredicate, type FilterableTask } from "#libs/tasks/filter/filter-predicate.js";
import { TaskState } from "#libs/tasks/task-state.js";
import { filterOf } from "#test/support/filter-of.js";

const NOON_MS = Date.parse("2026-03-01T12:00:00Z");

const running: FilterableTask = {
  id: "0199aaaa-0000-7000-8000-000000000001",
  type: "report.generate",
  queue: "mail",
  state: TaskState.RUNNING,
  priority: 5,
  attempt: 2,
  labels: { team: "docs", "app.example/x": "", toString: "own" },
  createTimeMs: NOON_MS - 60_000,
  updateTimeMs: NOON_MS,
  runTimeMs: NOON_MS - 1000,
  startTimeMs: NOON_MS - 500,
  endTimeMs: null,
  cancelRequestTimeMs: null,
};

describe("filterPredicate", () => {
  const matches = (filter: string, task: FilterableTask = running) => filterPredicate(filterOf(filter))(task);

  it("accepts everything without a filter", () => {
    expect(matches("")).to.equal(true);
  });

  it("tells each field's restrictions that hold from those that do not", () => {
    const holds = [
      "id = 0199AAAA-0000-7000-8000-000000000001",
      'id = "0199aaaa*" id <= 0199aaaa-0000-7000-8000-000000000001 id > 0199aaaa-0000-7000-8000-000000000000',
      'type = report.generate type = "report.*" type != report type != "reports*"',
      "queue = mail queue != default",
      "state = RUNNING state != FAILED",
      "priority = 5 priority > -6 priority <= 5 priority != 6",
      "attempt >= 2 attempt < 3",
      "create_time = 2026-03-01T11:59:00Z create_time < 2026-03-01T11:59:00.000001Z",
      "create_time >= 2026-03-01T11:58:59.9999Z",
      'update_time >= "2026-03-01T21:00:00+09:00" update_time < 2026-03-01T12:00:00.001Z',
      "run_time < 2026-03-01T12:00:00Z start_time > 2026-03-01T11:59:59Z start_time:*",
      'labels:team labels.team = docs labels.team:docs labels.team:* labels.team = "do*" labels.team != "dox*"',
      'labels."app.example/x" = "" labels."app.example/x" = "*"',
      "labels.toString = own",
      "state = FAILED OR queue = mail priority = 5",
    ];
    for (const filter of holds) {
      expect(matches(filter), filter).to.equal(true);
      expect(matches(`NOT (${filter})`), `NOT (${filter})`).to.equal(false);
    }
  });

  it("takes every comparison with what is absent for false, and its opposite for true", () => {
    const time = "2026-03-01T12:00:00Z";
    for (const name of ["end_time", "cancel_request_time"]) {
      for (const comparator of ["=", "<", "<=", ">", ">="]) {
        expect(matches(`${name} ${comparator} ${time}`)).to.equal(false);
        expect(matches(`NOT ${name} ${comparator} ${time}`)).to.equal(true);
      }
      expect(matches(`${name} != ${time}`)).to.equal(true);
      expect(matches(`${name}:*`)).to.equal(false);
    }
    for (const key of ["absent", "constructor", "hasOwnProperty"]) {
      for (const filter of [`labels:${key}`, `labels.${key} = ""`, `labels.${key} = "*"`, `labels.${key}:*`]) {
        expect(matches(filter), filter).to.equal(false);
        expect(matches(`-${filter}`), `-${filter}`).to.equal(true);
      }
      expect(matches(`labels.${key} != x`)).to.equal(true);
    }
  });
});
