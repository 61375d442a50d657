import { Command } from "commander";
import { toPlainJson } from "#cli/output/plain-json.js";
import { addNewTaskFlags, newTaskOptions } from "#cli/new-task-flags.js";
import { readPayload } from "#cli/parse-values.js";
import { withClient } from "#cli/with-client.js";

/** `taskwire submit`: creates a task and prints its id. */
export function submitCommand(): Command {
  const command = addNewTaskFlags(new Command("submit"))
    .summary("create a task and print its id")
    .description("Creates a task and prints its id. When the id is printed, the task is on the service's disk.")
    .option("--json", "print the whole task as JSON")
    .addHelpText(
      "after",
      `
Examples:
  $ taskwire submit system.health_check
  $ taskwire submit text.digest '{"text":"Plain words about a plain thing."}' --label team=docs
  $ taskwire submit report.generate @report.json --priority 10 --delay 5m
  $ jq '.task' order.json | taskwire submit order.ship - --request-id "$ORDER_ID"`,
    );
  return command.action(async (type: string, argument: string) => {
    const options = newTaskOptions(command);
    const payload = await readPayload(argument, process.stdin);
    const task = await withClient(command, (client) => client.create(type, payload, options));
    const { json } = command.opts<{ json?: boolean }>();
    process.stdout.write(`${json === true ? JSON.stringify(toPlainJson(task)) : task.id}\n`);
  });
}
