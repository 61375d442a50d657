import { Command, InvalidArgumentError } from "commander";
import type { Task, TaskEvent, TaskwireClient } from "#libs/client/taskwire-client.js";
import { LogLine_Level as Level } from "#libs/proto/gen/taskwire/v1/task_event.js";
import type { ExitCode } from "#cli/exit-codes.js";
import { LogText } from "#cli/output/log-text.js";
import { toPlainJson } from "#cli/output/plain-json.js";
import { parseWhole } from "#cli/parse-values.js";
import { exitCodeOf, followTasks } from "#cli/watch/follow-tasks.js";
import { TaskLine } from "#cli/watch/task-line.js";
import type { WatchDisplay } from "#cli/watch/watch-display.js";
import { withClient } from "#cli/with-client.js";

interface LogsFlags {
  readonly follow?: boolean;
  readonly level?: Level;
  readonly output?: boolean;
  readonly attempt?: number;
  readonly json?: boolean;
}

const LEVELS = { debug: Level.DEBUG, info: Level.INFO, warn: Level.WARN, error: Level.ERROR } as const;
const PAGE_SIZE = 1000;

/** `taskwire logs`: prints what the handler of a task has logged. */
export function logsCommand(): Command {
  const command = new Command("logs")
    .summary("print the log lines of a task")
    .description(
      "Prints what the handler of a task has logged, the first line first: as text on a terminal, in the form of `taskwire events` (one JSON\n" +
        "object per line) when piped or with --json. On a terminal line breaks and control characters in a line are written out: \\n, \\x1b.\n" +
        "Exit code: 0; with --follow that of the task's end (1 failed, 3 cancelled), 130 detached with Ctrl-C.",
    )
    .argument("<id>", "the task")
    .option("-f, --follow", "go on until the task ends; reconnects and resumes by itself")
    .option("--level <level>", `only lines at least this grave: ${Object.keys(LEVELS).join(", ")}`, parseLevel)
    .option("--output", "also what the handler has put out, whatever --level says")
    .option("--attempt <number>", "only of this attempt", parseAttempt)
    .option("--json", "one JSON object per line")
    .addHelpText(
      "after",
      `
Examples:
  $ taskwire logs 0192f0c1-… --follow --level warn
  $ taskwire logs 0192f0c1-… --output --json | jq -r 'select(.kind == "output") | .output.text'`,
    );
  return command.action(async (id: string) => {
    const flags = command.opts<LogsFlags>();
    await withClient(command, async (client) => {
      const task = await client.get(id, { full: false });
      const text = process.stdout.isTTY && flags.json !== true ? new LogText(task.attempt > 1) : undefined;
      const show = (event: TaskEvent) => {
        if (!isWanted(event, flags)) return;
        process.stdout.write(text === undefined ? `${JSON.stringify(toPlainJson(event))}\n` : text.of(event));
      };
      try {
        if (flags.follow === true) process.exitCode = await follow(client, task, show);
        else for await (const event of client.events(id, { pageSize: PAGE_SIZE })) show(event);
      } finally {
        if (text !== undefined) process.stdout.write(text.end());
      }
    });
  });
}

/** Shows the history and what comes after it until the task ends; returns the exit code of that end. */
async function follow(client: TaskwireClient, task: Task, show: (event: TaskEvent) => void): Promise<ExitCode> {
  const line = new TaskLine(task, 0);
  const display: WatchDisplay = {
    show: (_line, frame) => {
      if (frame.kind === "event") show(frame.event);
    },
    end: () => undefined,
  };
  const farewell = `Detached; the task goes on. Come back with: taskwire logs ${task.id} --follow`;
  await followTasks(client, [line], display, { farewell });
  return exitCodeOf([line]);
}

function isWanted({ attempt, kind }: TaskEvent, flags: LogsFlags): boolean {
  if (flags.attempt !== undefined && attempt !== flags.attempt) return false;
  if (kind?.$case === "log") return flags.level === undefined || kind.value.level >= flags.level;
  return kind?.$case === "output" && flags.output === true;
}

function parseLevel(text: string): Level {
  const level = Object.entries(LEVELS).find(([name]) => name === text.toLowerCase());
  if (level === undefined) throw new InvalidArgumentError(`it must be one of ${Object.keys(LEVELS).join(", ")}`);
  return level[1];
}

function parseAttempt(text: string): number {
  const attempt = parseWhole(text);
  if (attempt < 1) throw new InvalidArgumentError("it must be 1 or more");
  return attempt;
}
