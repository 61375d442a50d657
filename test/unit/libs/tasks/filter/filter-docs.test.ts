import { expect } from "chai";
import { filterErrorText } from "#libs/tasks/filter/filter-error.js";
import { FILTER_FIELDS } from "#libs/tasks/filter/filter-fields.js";
import { filterPredicate, type FilterableTask } from "#libs/tasks/filter/filter-predicate.js";
import { parseFilter } from "#libs/tasks/filter/parse-filter.js";
import { operatorsOf } from "#libs/tasks/filter/parse-restriction.js";
import { TaskState } from "#libs/tasks/task-state.js";
import { filterOf } from "#test/support/filter-of.js";
import { filterTable } from "#test/support/filter-examples.js";

const NOON_MS = Date.parse("2026-03-01T12:00:00Z");

function task(changes: Partial<FilterableTask>): FilterableTask {
  return {
    id: "0199bbbb-0000-7000-8000-000000000001",
    type: "text.digest",
    queue: "default",
    state: TaskState.PENDING,
    priority: 0,
    attempt: 0,
    labels: {},
    createTimeMs: Date.parse("2026-02-01T12:00:00Z"),
    updateTimeMs: NOON_MS,
    runTimeMs: NOON_MS - 1,
    startTimeMs: null,
    endTimeMs: null,
    cancelRequestTimeMs: null,
    ...changes,
  };
}

const TASKS = {
  report: task({ id: "0199aaaa-0000-7000-8000-000000000001", type: "report.generate", runTimeMs: NOON_MS }),
  mail: task({ queue: "mail", labels: { team: "docs" }, createTimeMs: NOON_MS, priority: 5 }),
  retried: task({ attempt: 3, startTimeMs: NOON_MS, labels: { team: "web", "app.example/version": "2.1" } }),
  stopping: task({ state: TaskState.RUNNING, attempt: 1, startTimeMs: NOON_MS, cancelRequestTimeMs: NOON_MS }),
  done: task({ type: "report.x", state: TaskState.COMPLETED, attempt: 1, startTimeMs: 0, endTimeMs: 1 }),
  failed: task({ queue: "mail", state: TaskState.FAILED, attempt: 1, endTimeMs: NOON_MS, labels: { archived: "" } }),
};
type Name = keyof typeof TASKS;

const FOUND: Readonly<Record<string, readonly Name[]>> = {
  "state = FAILED": ["failed"],
  "state = PENDING OR state = RUNNING": ["report", "mail", "retried", "stopping"],
  'type = "report.*" AND state != COMPLETED': ["report"],
  "queue = mail state = PENDING OR state = RUNNING": ["mail"],
  "(queue = mail AND state = FAILED) OR attempt > 2": ["retried", "failed"],
  "labels.team = docs": ["mail"],
  "labels:team": ["mail", "retried"],
  'labels."app.example/version" = "2.*"': ["retried"],
  "NOT labels:archived": ["report", "mail", "retried", "stopping", "done"],
  "labels.team != docs": ["report", "retried", "stopping", "done", "failed"],
  "labels:team AND labels.team != docs": ["retried"],
  "create_time >= 2026-03-01T00:00:00Z -(priority < 5)": ["mail"],
  'end_time < "2026-03-01T12:00:00+09:00"': ["done"],
  "cancel_request_time:* AND state = RUNNING": ["stopping"],
  "start_time:* AND NOT end_time:*": ["retried", "stopping"],
  'id = "0199aaaa*"': ["report"],
  "type = 'report.generate' AND run_time > 2026-03-01T11:59:59.999Z": ["report"],
};

describe("docs/filter.md", () => {
  it("shows filters that find what it says", () => {
    const examples = filterTable("Examples").map(([filter = ""]) => filter);
    expect(examples).to.have.members(Object.keys(FOUND));
    for (const filter of examples) {
      const isMatch = filterPredicate(filterOf(filter));
      const found = Object.entries(TASKS).filter(([, each]) => isMatch(each));
      expect(
        found.map(([name]) => name),
        filter,
      ).to.deep.equal(FOUND[filter]);
    }
  });

  it("shows wrong filters with what is said of them", () => {
    const examples = filterTable("Errors");
    expect(examples).to.have.length.greaterThan(3);
    for (const [filter = "", words] of examples) {
      const result = parseFilter(filter);
      expect(result.ok ? "" : `is wrong at ${filterErrorText(result.error)}`, filter).to.equal(words);
    }
  });

  it("has every field with its comparators and meaning", () => {
    const fields = Object.entries(FILTER_FIELDS).map(([name, { kind, isOptional, meaning }]) => [
      name,
      operatorsOf(kind, isOptional).join(" "),
      meaning,
    ]);
    expect(filterTable("Fields").map(([name, operators, , meaning]) => [name, operators, meaning])).to.deep.equal(
      fields,
    );
  });

  it("marks as watchable what is fixed at creation, and what every event tells", () => {
    const watchable = Object.entries(FILTER_FIELDS).filter(([, { isWatchable }]) => isWatchable);
    const names = ["id", "type", "queue", "state", "priority", "attempt", "labels", "create_time", "update_time"];
    expect(watchable.map(([name]) => name)).to.deep.equal(names);
  });
});
