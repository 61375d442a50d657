import { Command, InvalidArgumentError } from "commander";
import type { WatchedClass, WatchTasksOptions } from "#libs/client/taskwire-client.js";
import { UsageError } from "#cli/command-errors.js";
import { parseWhole } from "#cli/parse-values.js";
import { followFilter } from "#cli/watch/follow-filter.js";
import { exitCodeOf, followTasks } from "#cli/watch/follow-tasks.js";
import { framesAsJson, framesAsTable } from "#cli/watch/frames-display.js";
import { TaskLine } from "#cli/watch/task-line.js";
import { jsonDisplay, liveDisplay } from "#cli/watch/watch-display.js";
import { withClient } from "#cli/with-client.js";

interface WatchFlags {
  readonly after?: number;
  readonly filter?: string;
  readonly fromNow?: boolean;
  readonly afterRevision?: number;
  readonly resume?: string;
  readonly classes?: WatchedClass[];
  readonly cursors?: boolean;
  readonly json?: boolean;
}

const CLASSES: readonly WatchedClass[] = ["states", "progress", "logs", "output"];

/** `taskwire watch`: follows tasks to their ends, or all that a filter selects. */
export function watchCommand(): Command {
  const command = new Command("watch")
    .summary("follow tasks to their ends, or all that a filter selects")
    .description(
      "Follows tasks to their ends: a live line per task on a terminal, one JSON object per line when piped or with --json.\n" +
        "Reconnects and resumes by itself. Exit code: that of the worst end (1 failed, 3 cancelled), 130 detached with Ctrl-C.\n\n" +
        "With --filter it follows all tasks that match, now and later, until Ctrl-C: a live table on a terminal; elsewhere objects of the\n" +
        'kinds "task" (how one stands), those of events, "unselected" (a task that does not match any more), "lagged" (progress that was\n' +
        'left out), "synced" (the tasks there were are complete) and "bookmark" (nothing is missing), in the order of the stream.',
    )
    .argument("[id...]", "the tasks")
    .option(
      "--after <sequence>",
      "begin with the event after this one, 0: with the whole history (default: how it stands)",
      parseWhole,
    )
    .option("--filter <text>", "all tasks that this AIP-160 filter matches; '' matches every task")
    .option("--from-now", "with --filter: begin with what happens from now on (default: with the tasks as they stand)")
    .option("--after-revision <number>", "with --filter: begin with what happened after this revision", parseWhole)
    .option("--resume <token>", "with --filter: go on where a watch with the same filter has stopped")
    .option(
      "--classes <names>",
      `with --filter: which events, some of ${CLASSES.join(",")} (default: states,progress)`,
      parseClasses,
    )
    .option("--cursors", 'with --filter: a line {"kind":"cursor","resumeToken":…} after each frame of the stream')
    .option("--json", "one JSON object per line")
    .addHelpText(
      "after",
      `
Examples:
  $ taskwire watch 0192f0c1-…
  $ taskwire watch 0192f0c1-… --after 0 --json | jq 'select(.kind == "log") | .log.message'
  $ taskwire watch --filter 'queue = billing AND state = RUNNING'
  $ taskwire watch --filter 'type = "report.*"' --from-now --json | jq -r 'select(.kind == "failed") | .taskId'`,
    );
  return command.action(async (ids: string[]) => {
    const flags = command.opts<WatchFlags>();
    checkUsage(ids, flags);
    if (flags.filter === undefined) await watchIds(command, ids, flags);
    else await watchFilter(command, flags.filter, flags);
  });
}

async function watchIds(command: Command, ids: readonly string[], { after, json }: WatchFlags): Promise<void> {
  await withClient(command, async (client) => {
    const tasks = await Promise.all([...new Set(ids)].map((id) => client.get(id, { full: false })));
    const lines = tasks.map((task) => new TaskLine(task, after));
    const live = process.stdout.isTTY && json !== true;
    const display = live ? liveDisplay(process.stdout, lines) : jsonDisplay(process.stdout);
    await followTasks(client, lines, display, { withSnapshot: after === undefined });
    process.exitCode = exitCodeOf(lines);
  });
}

async function watchFilter(command: Command, filter: string, flags: WatchFlags): Promise<void> {
  const { classes, cursors, json } = flags;
  const isLive = process.stdout.isTTY && json !== true;
  const options = { filter, start: startOf(flags), onGap: isLive ? "snapshot" : "fail" } as const;
  await withClient(command, async (client) => {
    const showsLogs = classes !== undefined && (classes.includes("logs") || classes.includes("output"));
    const display = isLive ? framesAsTable(process.stdout, showsLogs) : framesAsJson(process.stdout, cursors === true);
    await followFilter(client, classes === undefined ? options : { ...options, classes }, display);
  });
}

function startOf({ fromNow, afterRevision, resume }: WatchFlags): NonNullable<WatchTasksOptions["start"]> {
  if (fromNow === true) return "now";
  if (afterRevision !== undefined) return { afterRevision };
  return resume === undefined ? "snapshot" : { resumeToken: resume };
}

function checkUsage(ids: readonly string[], flags: WatchFlags): void {
  const { after, filter, fromNow, afterRevision, resume, classes, cursors } = flags;
  const starts = [fromNow, afterRevision, resume].filter((start) => start !== undefined);
  if (filter === undefined) {
    if (ids.length === 0) throw new UsageError("say which tasks: their ids, or --filter");
    if (starts.length > 0 || classes !== undefined || cursors !== undefined)
      throw new UsageError("--from-now, --after-revision, --resume, --classes and --cursors go with --filter");
    if (after !== undefined && ids.length > 1)
      throw new UsageError("--after goes with one task, because each counts for itself");
    return;
  }
  if (ids.length > 0) throw new UsageError("give ids or --filter, not both");
  if (after !== undefined) throw new UsageError("--after goes with one task; --filter takes --after-revision");
  if (starts.length > 1) throw new UsageError("give one of --from-now, --after-revision and --resume");
}

function parseClasses(text: string): WatchedClass[] {
  return text.split(",").map((word) => {
    const found = CLASSES.find((name) => name === word.trim().toLowerCase());
    if (found === undefined) throw new InvalidArgumentError(`it must be some of ${CLASSES.join(",")}`);
    return found;
  });
}
