import { expect } from "chai";
import fc from "fast-check";
import { TaskState } from "#libs/client/taskwire-client.js";
import { listRequest, type ListOptions } from "#libs/client/task-query.js";
import { filterPredicate } from "#libs/tasks/filter/filter-predicate.js";
import { filterText } from "#libs/tasks/filter/filter-text.js";
import { parseFilter } from "#libs/tasks/filter/parse-filter.js";
import { filterOf } from "#test/support/filter-of.js";
import { filterableTask } from "#test/unit/libs/tasks/filter/random-tasks.js";

const ID = "0199aaaa-0000-7000-8000-000000000001";

describe("The filter of a list's options", () => {
  const filterFor = (options: ListOptions) => listRequest(options).filter;

  it("is empty without options, and with lists of nothing", () => {
    expect(filterFor({})).to.equal("");
    expect(filterFor({ ids: [], types: [], queues: [], states: [], labels: {}, filter: "  " })).to.equal("");
  });

  it("joins what is given by AND, and the values of one list by OR", () => {
    const filter = filterFor({
      ids: [ID],
      types: ["a", "b.c"],
      queues: ["mail"],
      states: [TaskState.PENDING, TaskState.RUNNING],
      labels: { "app.example/x": 'a "b" \\ *\n', team: "" },
      createTimeFrom: new Date(0),
      createTimeBefore: new Date(1000),
      updateTimeFrom: new Date(2000),
      updateTimeBefore: new Date(3000),
      filter: " attempt > 1 OR priority = 3 ",
    });
    const parts = [
      `id = "${ID}"`,
      'type = "a" OR type = "b.c"',
      'queue = "mail"',
      "state = PENDING OR state = RUNNING",
      String.raw`labels."app.example/x" = "a \"b\" \\ \*\n"`,
      'labels."team" = ""',
      "create_time >= 1970-01-01T00:00:00.000Z",
      "create_time < 1970-01-01T00:00:01.000Z",
      "update_time >= 1970-01-01T00:00:02.000Z",
      "update_time < 1970-01-01T00:00:03.000Z",
      "attempt > 1 OR priority = 3",
    ];
    const expression = filterOf(filter);
    expect(expression === null ? "" : filterText(expression)).to.equal(parts.join(" AND "));
  });

  it("asks for exactly the labels that a task has, whatever is in them", () => {
    fc.assert(
      fc.property(filterableTask, filterableTask, ({ labels }, task) => {
        const isMeant = Object.entries(labels).every(
          ([key, value]) => Object.hasOwn(task.labels, key) && task.labels[key] === value,
        );
        expect(filterPredicate(filterOf(filterFor({ labels })))(task)).to.equal(isMeant);
        expect(filterPredicate(filterOf(filterFor({ labels: task.labels })))(task)).to.equal(true);
      }),
    );
  });

  it("leaves it to the service to refuse what is malformed", () => {
    const malformed: ListOptions[] = [
      { ids: ["1"] },
      { types: ["A"] },
      { types: ['a" OR type = "b'] },
      { queues: [""] },
      { states: [TaskState.STATE_UNSPECIFIED] },
      { labels: { "a b": "" } },
      { labels: { 'a" = "b" OR labels."c': "" } },
      { createTimeFrom: new Date(Number.NaN) },
      { updateTimeBefore: new Date(8.64e15) },
      ...["a = 1) OR (b = 2", "OR queue = a", "AND queue = a", 'queue = "a', "queue = a)"].map((filter) => ({
        queues: ["mail"],
        filter,
      })),
    ];
    for (const options of malformed) expect(parseFilter(filterFor(options)).ok, filterFor(options)).to.equal(false);
  });
});
