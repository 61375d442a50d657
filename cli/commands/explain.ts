import { Command } from "commander";
import { toPlainJson } from "#cli/output/plain-json.js";
import { withClient } from "#cli/with-client.js";

/** `taskwire explain`: says why a task is not running. */
export function explainCommand(): Command {
  const command = new Command("explain")
    .summary("say why a task is not running")
    .description(
      "Says why a task is not running, or how it runs or ended: one sentence, then every reason, the most important first; or one JSON\n" +
        "object with --json.",
    )
    .argument("<id>", "the task")
    .option("--json", "one JSON object")
    .addHelpText(
      "after",
      `
Examples:
  $ taskwire explain 0192f0c1-…
  $ taskwire explain 0192f0c1-… --json | jq -r '.reasons[].kind'`,
    );
  return command.action(async (id: string) => {
    const { json } = command.opts<{ json?: boolean }>();
    const explanation = await withClient(command, (client) => client.explain(id));
    if (json === true) {
      process.stdout.write(`${JSON.stringify(toPlainJson(explanation))}\n`);
      return;
    }
    const lines = explanation.reasons.map(({ text, kind }) => `  ${kind?.$case ?? "unknown"}: ${text}`);
    process.stdout.write(`${[explanation.summary, ...lines].join("\n")}\n`);
  });
}
