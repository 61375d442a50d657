import { Command } from "commander";
import { toPlainJson } from "#cli/output/plain-json.js";
import { withClient } from "#cli/with-client.js";

/** `taskwire get`: prints tasks as they stand. */
export function getCommand(): Command {
  const command = new Command("get")
    .summary("print tasks as they stand")
    .description("Prints tasks as JSON: laid out on a terminal, one line each when piped or with --json.")
    .argument("<id...>", "the tasks")
    .option("--json", "one JSON object per line")
    .addHelpText("after", "\nExample:\n  $ taskwire get 0192f0c1-… | jq .result");
  return command.action(async (ids: string[]) => {
    const { json } = command.opts<{ json?: boolean }>();
    const indent = process.stdout.isTTY && json !== true ? 2 : 0;
    await withClient(command, async (client) => {
      for (const id of ids)
        process.stdout.write(`${JSON.stringify(toPlainJson(await client.get(id)), null, indent)}\n`);
    });
  });
}
