import { Command } from "commander";
import type { TaskEvent } from "#libs/client/taskwire-client.js";
import { eventText } from "#cli/output/event-text.js";
import { toPlainJson } from "#cli/output/plain-json.js";
import { table } from "#cli/output/table.js";
import { stateText } from "#cli/output/task-text.js";
import { parseWhole } from "#cli/parse-values.js";
import { withClient } from "#cli/with-client.js";

interface EventsFlags {
  readonly desc?: boolean;
  readonly limit: number;
  readonly json?: boolean;
}

const HEADINGS = ["SEQUENCE", "TIME", "STATE", "ATTEMPT", "EVENT", "DETAILS"];
const PAGE_SIZE = 1000;

/** `taskwire events`: lists the history of a task. */
export function eventsCommand(): Command {
  const command = new Command("events")
    .summary("list the history of a task")
    .description(
      "Lists what has happened to a task until now, the first event first: as a table on a terminal, one JSON object per line when piped\n" +
        "or with --json. `taskwire watch ID --after 0` goes on to the end of the task.",
    )
    .argument("<id>", "the task")
    .option("--desc", "the latest event first")
    .option("--limit <number>", "at most so many; 0: all", parseWhole, 0)
    .option("--json", "one JSON object per line")
    .addHelpText(
      "after",
      `
Examples:
  $ taskwire events 0192f0c1-… --desc --limit 10
  $ taskwire events 0192f0c1-… --json | jq -r 'select(.kind == "log") | .log.message'`,
    );
  return command.action(async (id: string) => {
    const { desc, limit, json } = command.opts<EventsFlags>();
    const isTable = process.stdout.isTTY && json !== true;
    await withClient(command, async (client) => {
      const rows: string[][] = [];
      let count = 0;
      const pageSize = limit > 0 ? Math.min(limit, PAGE_SIZE) : PAGE_SIZE;
      for await (const event of client.events(id, { order: desc === true ? "desc" : "asc", pageSize })) {
        if (isTable) rows.push(rowOf(event));
        else process.stdout.write(`${JSON.stringify(toPlainJson(event))}\n`);
        count += 1;
        if (count === limit) break;
      }
      if (isTable) process.stdout.write(`${table(HEADINGS, rows)}\n`);
    });
  });
}

/** A row under {@link HEADINGS}. */
function rowOf(event: TaskEvent): string[] {
  const { sequence, time, state, attempt, kind } = event;
  return [
    String(sequence),
    time?.toISOString() ?? "",
    stateText(state),
    String(attempt),
    kind?.$case ?? "",
    eventText(event),
  ];
}
