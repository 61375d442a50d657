import { Command } from "commander";
import { parseSpan } from "#cli/parse-values.js";
import { withClient } from "#cli/with-client.js";

/** `taskwire ping`: a round trip through the service, NATS and a worker. */
export function pingCommand(): Command {
  const command = new Command("ping")
    .summary("a round trip through the service, NATS and a worker")
    .description(
      "Sends a message through the service and NATS to a worker and back. Exit code: 0 answered, 4 nobody did.",
    )
    .option("--worker <id>", "which worker (default: any)")
    .option("--timeout <span>", "how long to wait; 1ms to 60s", parseSpan, 5000)
    .option("--json", "as JSON");
  return command.action(async () => {
    const { worker, timeout, json } = command.opts<{ worker?: string; timeout: number; json?: boolean }>();
    const answer = await withClient(command, (client) =>
      client.ping({ timeoutMs: timeout, ...(worker === undefined ? {} : { workerId: worker }) }),
    );
    const text = `worker ${answer.workerId} answered in ${answer.roundTripMs.toFixed(1)} ms`;
    process.stdout.write(`${json === true ? JSON.stringify(answer) : text}\n`);
  });
}
