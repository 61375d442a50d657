import { Command } from "commander";
import { TaskState } from "#libs/client/taskwire-client.js";
import { toPlainJson } from "#cli/output/plain-json.js";
import { stateText } from "#cli/output/task-text.js";
import { withClient } from "#cli/with-client.js";

/** `taskwire cancel`: asks for tasks to be stopped. */
export function cancelCommand(): Command {
  const command = new Command("cancel")
    .summary("ask for tasks to be stopped")
    .description(
      "Asks for tasks to be stopped. One that has not started is CANCELLED at once; a running one when its handler has stopped,\n" +
        "or was killed after the grace period.",
    )
    .argument("<id...>", "the tasks")
    .option("--reason <text>", "why, for people", "")
    .option("--json", "one JSON object per line")
    .addHelpText("after", '\nExample:\n  $ taskwire cancel 0192f0c1-… --reason "sent by mistake"');
  return command.action(async (ids: string[]) => {
    const { reason, json } = command.opts<{ reason: string; json?: boolean }>();
    await withClient(command, async (client) => {
      for (const id of ids) {
        const task = await client.cancel(id, reason);
        const note = task.state === TaskState.RUNNING ? ", is being stopped" : "";
        process.stdout.write(
          json === true ? `${JSON.stringify(toPlainJson(task))}\n` : `${task.id}  ${stateText(task.state)}${note}\n`,
        );
      }
    });
  });
}
