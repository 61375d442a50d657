import { Command, InvalidArgumentError } from "commander";
import { TaskState, type ListOptions, type Task } from "#libs/client/taskwire-client.js";
import { toPlainJson } from "#cli/output/plain-json.js";
import { table } from "#cli/output/table.js";
import { progressText, spanText, stateText } from "#cli/output/task-text.js";
import { parseLabel, parseList, parseTime, parseWhole } from "#cli/parse-values.js";
import { withClient } from "#cli/with-client.js";

interface ListFlags {
  readonly filter?: string;
  readonly type?: string[];
  readonly queue?: string[];
  readonly state?: TaskState[];
  readonly label?: Record<string, string>;
  readonly createdAfter?: Date;
  readonly createdBefore?: Date;
  readonly updatedAfter?: Date;
  readonly updatedBefore?: Date;
  readonly order?: Order;
  readonly limit: number;
  readonly json?: boolean;
  readonly full?: boolean;
}

type Order = NonNullable<ListOptions["orderBy"]>;

const STATES = {
  pending: TaskState.PENDING,
  running: TaskState.RUNNING,
  completed: TaskState.COMPLETED,
  failed: TaskState.FAILED,
  cancelled: TaskState.CANCELLED,
} as const;
const ORDERS: readonly Order[] = [
  "create_time",
  "create_time desc",
  "update_time",
  "update_time desc",
  "id",
  "id desc",
];
const PAGE_SIZE = 1000;

/** `taskwire list`: prints tasks as a table or as JSON. */
export function listCommand(): Command {
  const command = new Command("list")
    .summary("list tasks")
    .description("Lists tasks, the latest first: as a table, or one JSON object per line with --json.")
    .option("--filter <text>", "only what this AIP-160 filter matches, such as 'attempt > 1 AND type = \"report.*\"'")
    .option("--type <type>", "only these types; may be repeated", parseList)
    .option("--queue <name>", "only these queues; may be repeated", parseList)
    .option("--state <state>", `only these states (${Object.keys(STATES).join(", ")}); may be repeated`, parseStates)
    .option("--label <key=value>", "only with this label; may be repeated", parseLabel)
    .option("--created-after <time>", "created at or after this time", parseTime)
    .option("--created-before <time>", "created before this time", parseTime)
    .option("--updated-after <time>", "changed at or after this time", parseTime)
    .option("--updated-before <time>", "changed before this time", parseTime)
    .option("--order <order>", `one of: ${ORDERS.join(", ")}`, parseOrder)
    .option("--limit <number>", "at most so many; 0: all", parseWhole, 50)
    .option("--full", "with payloads and results (for --json)")
    .option("--json", "one JSON object per line")
    .addHelpText(
      "after",
      `
Examples:
  $ taskwire list --state running
  $ taskwire list --filter 'state = FAILED OR state = CANCELLED AND labels:team'
  $ taskwire list --state failed --type text.digest --created-after 2026-03-01 --limit 0 --json | jq -r .id`,
    );
  return command.action(async () => {
    const flags = command.opts<ListFlags>();
    await withClient(command, async (client) => {
      const rows: string[][] = [];
      let count = 0;
      for await (const task of client.list(listOptions(flags))) {
        if (flags.json === true) process.stdout.write(`${JSON.stringify(toPlainJson(task))}\n`);
        else rows.push(rowOf(task));
        count += 1;
        if (count === flags.limit) break;
      }
      if (flags.json === true) return;
      const answer =
        rows.length === 0 ? "no tasks" : table(["ID", "TYPE", "QUEUE", "STATE", "ATTEMPT", "AGE", "PROGRESS"], rows);
      process.stdout.write(`${answer}\n`);
    });
  });
}

function listOptions(flags: ListFlags): ListOptions {
  return {
    pageSize: flags.limit > 0 ? Math.min(flags.limit, PAGE_SIZE) : PAGE_SIZE,
    full: flags.full === true,
    ...(flags.filter === undefined ? {} : { filter: flags.filter }),
    ...(flags.type === undefined ? {} : { types: flags.type }),
    ...(flags.queue === undefined ? {} : { queues: flags.queue }),
    ...(flags.state === undefined ? {} : { states: flags.state }),
    ...(flags.label === undefined ? {} : { labels: flags.label }),
    ...(flags.createdAfter === undefined ? {} : { createTimeFrom: flags.createdAfter }),
    ...(flags.createdBefore === undefined ? {} : { createTimeBefore: flags.createdBefore }),
    ...(flags.updatedAfter === undefined ? {} : { updateTimeFrom: flags.updatedAfter }),
    ...(flags.updatedBefore === undefined ? {} : { updateTimeBefore: flags.updatedBefore }),
    ...(flags.order === undefined ? {} : { orderBy: flags.order }),
  };
}

function rowOf(task: Task): string[] {
  const age = task.createTime === undefined ? "" : spanText(Date.now() - task.createTime.getTime());
  const attempt = task.maxAttempts === 0 ? `${task.attempt}` : `${task.attempt}/${task.maxAttempts}`;
  const note =
    task.state === TaskState.FAILED ? (task.error?.message.split("\n")[0] ?? "") : progressText(task.progress);
  return [task.id, task.type, task.queue, stateText(task.state), attempt, age, note];
}

function parseStates(text: string, before: readonly TaskState[] = []): TaskState[] {
  const states = text.split(",").map((word) => {
    const state = Object.entries(STATES).find(([name]) => name === word.toLowerCase());
    if (state === undefined) throw new InvalidArgumentError(`it must be one of ${Object.keys(STATES).join(", ")}`);
    return state[1];
  });
  return [...before, ...states];
}

function parseOrder(text: string): Order {
  const order = ORDERS.find((known) => known === text);
  if (order === undefined) throw new InvalidArgumentError(`it must be one of: ${ORDERS.join(", ")}`);
  return order;
}
