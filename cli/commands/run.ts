import { Command } from "commander";
import { Task_State as State } from "#libs/proto/gen/taskwire/v1/task.js";
import { addNewTaskFlags, newTaskOptions } from "#cli/new-task-flags.js";
import { toPlainJson } from "#cli/output/plain-json.js";
import { errorText } from "#cli/output/task-text.js";
import { readPayload } from "#cli/parse-values.js";
import { exitCodeOf, followTasks } from "#cli/watch/follow-tasks.js";
import { TaskLine } from "#cli/watch/task-line.js";
import { liveDisplay, silentDisplay } from "#cli/watch/watch-display.js";
import { withClient } from "#cli/with-client.js";

const UNWATCHED = "Detached; the task is cancelled unless somebody runs it again with the same --request-id in time.";

/** `taskwire run`: creates a task, waits for its end and prints its result. */
export function runCommand(): Command {
  const command = addNewTaskFlags(new Command("run"))
    .summary("create a task, wait for its end, print its result")
    .description(
      "Creates a task, shows its progress on stderr when that is a terminal, and prints the result as JSON on stdout.\n" +
        "Exit code: 0 completed, 1 failed, 3 cancelled, 130 detached with Ctrl-C (the task goes on, unless --cancel-unwatched is given).",
    )
    .option("--json", "print the finished task, not only its result, as one line of JSON")
    .addHelpText(
      "after",
      `
Examples:
  $ taskwire run system.health_check
  $ taskwire run text.digest @document.json | jq .keyPhrases`,
    );
  return command.action(async (type: string, argument: string) => {
    const options = newTaskOptions(command);
    const payload = await readPayload(argument, process.stdin);
    const { json } = command.opts<{ json?: boolean }>();
    await withClient(command, async (client) => {
      const abort = new AbortController();
      const frames = client.runFrames(type, payload, { ...options, signal: abort.signal });
      const { value: first } = await frames.next();
      if (first?.kind !== "snapshot") throw new Error("the service began a run without its task");
      const line = new TaskLine(first.task, first.task.sequence);
      const display = process.stderr.isTTY ? liveDisplay(process.stderr, [line]) : silentDisplay();
      const farewell = options.cancelUnwatchedAfterMs === undefined ? {} : { farewell: UNWATCHED };
      await followTasks(client, [line], display, { opened: { frames, abort }, ...farewell });
      const task = await client.get(line.id);
      if (json === true) process.stdout.write(`${JSON.stringify(toPlainJson(task))}\n`);
      else if (task.state === State.COMPLETED)
        process.stdout.write(`${JSON.stringify(task.result ?? null, null, 2)}\n`);
      for (const warning of task.warnings) process.stderr.write(`warning: ${errorText(warning)}\n`);
      if (task.state === State.FAILED) process.stderr.write(`task ${task.id} failed: ${errorText(task.error)}\n`);
      if (task.state === State.CANCELLED) process.stderr.write(`task ${task.id} was cancelled\n`);
      process.exitCode = exitCodeOf([line]);
    });
  });
}
