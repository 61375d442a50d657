import { Command } from "commander";
import { AttemptOutcome, type TaskAttempt } from "#libs/client/taskwire-client.js";
import { toPlainJson } from "#cli/output/plain-json.js";
import { table } from "#cli/output/table.js";
import { outcomeText, spanText } from "#cli/output/task-text.js";
import { withClient } from "#cli/with-client.js";

const HEADINGS = ["ATTEMPT", "WORKER", "STARTED", "TOOK", "OUTCOME", "CODE", "MESSAGE"];

/** `taskwire attempts`: lists the attempts of a task. */
export function attemptsCommand(): Command {
  const command = new Command("attempts")
    .summary("list the attempts of a task")
    .description(
      "Lists the attempts of a task, the first one first: as a table, or one JSON object per line with --json. Attempts that were\n" +
        "RELEASED do not count against the task's maximum.",
    )
    .argument("<id>", "the task")
    .option("--json", "one JSON object per line")
    .addHelpText(
      "after",
      `
Examples:
  $ taskwire attempts 0192f0c1-…
  $ taskwire attempts 0192f0c1-… --json | jq -r 'select(.outcome != "SUCCEEDED") | .error.code'`,
    );
  return command.action(async (id: string) => {
    const { json } = command.opts<{ json?: boolean }>();
    await withClient(command, async (client) => {
      const rows: string[][] = [];
      for await (const attempt of client.attempts(id)) {
        if (json === true) process.stdout.write(`${JSON.stringify(toPlainJson(attempt))}\n`);
        else rows.push(rowOf(attempt, new Date()));
      }
      if (json === true) return;
      process.stdout.write(`${rows.length === 0 ? "no attempts yet" : table(HEADINGS, rows)}\n`);
    });
  });
}

/** A row under {@link HEADINGS}; a running attempt has taken as long as it has until `now`. */
function rowOf({ number, workerId, startTime, endTime, outcome, error }: TaskAttempt, now: Date): string[] {
  const end = endTime ?? (outcome === AttemptOutcome.RUNNING ? now : undefined);
  return [
    String(number),
    workerId,
    startTime?.toISOString() ?? "",
    startTime === undefined || end === undefined ? "" : spanText(end.getTime() - startTime.getTime()),
    outcomeText(outcome),
    error?.code ?? "",
    error?.message.split("\n")[0] ?? "",
  ];
}
