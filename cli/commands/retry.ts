import { Command } from "commander";
import { UsageError } from "#cli/command-errors.js";
import { toPlainJson } from "#cli/output/plain-json.js";
import { stateText } from "#cli/output/task-text.js";
import { parseWhole } from "#cli/parse-values.js";
import { withClient } from "#cli/with-client.js";

/** `taskwire retry`: opens finished tasks again. */
export function retryCommand(): Command {
  const command = new Command("retry")
    .summary("open failed or cancelled tasks again")
    .description(
      "Opens FAILED or CANCELLED tasks again, due now, for a new round of attempts. Their history stays, and attempts go on being\n" +
        "numbered. Exit code: 1 when a task has not ended, has completed or has changed, 75 when its queue is full.",
    )
    .argument("<id...>", "the tasks")
    .option(
      "--sequence <number>",
      "only if this is still the task's latest sequence (see `taskwire get`), so that repeating the command opens it once",
      parseWhole,
    )
    .option("--json", "one JSON object per line")
    .addHelpText(
      "after",
      `
Examples:
  $ taskwire retry 0192f0c1-… && taskwire watch 0192f0c1-…
  $ taskwire list --state failed --limit 0 --json | jq -r .id | xargs taskwire retry`,
    );
  return command.action(async (ids: string[]) => {
    const { sequence, json } = command.opts<{ sequence?: number; json?: boolean }>();
    if (sequence !== undefined && ids.length > 1)
      throw new UsageError("--sequence goes with one task, because each has its own");
    await withClient(command, async (client) => {
      for (const id of ids) {
        const task = await client.retry(id, sequence === undefined ? {} : { sequence });
        process.stdout.write(
          json === true ? `${JSON.stringify(toPlainJson(task))}\n` : `${task.id}  ${stateText(task.state)}\n`,
        );
      }
    });
  });
}
