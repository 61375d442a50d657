import { Command } from "commander";
import { UsageError } from "#cli/command-errors.js";
import { parseWhole } from "#cli/parse-values.js";
import { exitCodeOf, followTasks } from "#cli/watch/follow-tasks.js";
import { TaskLine } from "#cli/watch/task-line.js";
import { jsonDisplay, liveDisplay } from "#cli/watch/watch-display.js";
import { withClient } from "#cli/with-client.js";

/** `taskwire watch`: follows tasks to their ends. */
export function watchCommand(): Command {
  const command = new Command("watch")
    .summary("follow tasks to their ends")
    .description(
      "Follows tasks to their ends: a live line per task on a terminal, one JSON object per line when piped or with --json.\n" +
        "Reconnects and resumes by itself. Exit code: that of the worst end (1 failed, 3 cancelled), 130 detached with Ctrl-C.",
    )
    .argument("<id...>", "the tasks")
    .option(
      "--after <sequence>",
      "begin with the event after this one, 0: with the whole history (default: how it stands)",
      parseWhole,
    )
    .option("--json", "one JSON object per line")
    .addHelpText(
      "after",
      `
Examples:
  $ taskwire watch 0192f0c1-…
  $ taskwire watch 0192f0c1-… --after 0 --json | jq 'select(.kind == "log") | .log.message'`,
    );
  return command.action(async (ids: string[]) => {
    const { after, json } = command.opts<{ after?: number; json?: boolean }>();
    if (after !== undefined && ids.length > 1)
      throw new UsageError("--after goes with one task, because each counts for itself");
    await withClient(command, async (client) => {
      const tasks = await Promise.all([...new Set(ids)].map((id) => client.get(id, { full: false })));
      const lines = tasks.map((task) => new TaskLine(task, after));
      const live = process.stdout.isTTY && json !== true;
      const display = live ? liveDisplay(process.stdout, lines) : jsonDisplay(process.stdout);
      await followTasks(client, lines, display, { withSnapshot: after === undefined });
      process.exitCode = exitCodeOf(lines);
    });
  });
}
