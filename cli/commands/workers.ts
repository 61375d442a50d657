import { Command } from "commander";
import { toPlainJson } from "#cli/output/plain-json.js";
import { table } from "#cli/output/table.js";
import { spanText } from "#cli/output/task-text.js";
import { withClient } from "#cli/with-client.js";

/** `taskwire workers`: lists the workers that are alive. */
export function workersCommand(): Command {
  const command = new Command("workers")
    .summary("list the workers that are alive")
    .description("Lists the workers that are alive: as a table, or one JSON object per line with --json.")
    .option("--json", "one JSON object per line");
  return command.action(async () => {
    const { json } = command.opts<{ json?: boolean }>();
    const workers = await withClient(command, (client) => client.workers());
    if (json === true) {
      for (const worker of workers) process.stdout.write(`${JSON.stringify(toPlainJson(worker))}\n`);
      return;
    }
    const rows = workers.map((worker) => [
      worker.id,
      `${worker.hostname}:${worker.pid}`,
      `${worker.running}/${worker.slots}`,
      worker.startTime === undefined ? "" : spanText(Date.now() - worker.startTime.getTime()),
      worker.draining ? "draining" : "",
      worker.queues.join(","),
      worker.types.join(","),
    ]);
    const none = "no workers; start one with `taskwire work` (tasks wait until then)";
    process.stdout.write(
      `${rows.length === 0 ? none : table(["ID", "PROCESS", "BUSY", "UP", "", "QUEUES", "TYPES"], rows)}\n`,
    );
  });
}
