import { once } from "node:events";
import { Command, InvalidArgumentError } from "commander";
import { parseNumber, parseWhole } from "#cli/parse-values.js";
import { runTop } from "#cli/top/run-top.js";
import { topLines } from "#cli/top/top-lines.js";
import type { TopView } from "#cli/top/top-view.js";
import { LiveLines } from "#cli/watch/live-lines.js";
import { withClient } from "#cli/with-client.js";

interface TopFlags {
  readonly filter: string;
  readonly interval: number;
  readonly count?: number;
  readonly json?: boolean;
}

const MIN_INTERVAL_SECONDS = 0.2;
const MAX_INTERVAL_SECONDS = 60;

/** `taskwire top`: queues, rates, latencies and workers, live. */
export function topCommand(): Command {
  const command = new Command("top")
    .summary("queues, rates, latencies and workers, live")
    .description(
      "Shows per queue how many tasks wait and run now, how many are created and finished per second (over the last interval and the last\n" +
        "minute), how many have failed, and how long they waited (creation to first start) and ran (last start to end); then the workers.\n" +
        "Live on a terminal, one JSON object per interval when piped or with --json. Rates, failures, waits and runs are of the events seen\n" +
        "since it began, as they arrived; waits and runs are of the last 1,000 per queue. It goes on through restarts of the service.",
    )
    .option("--filter <text>", "only the tasks that this AIP-160 filter matches", "")
    .option(
      "--interval <seconds>",
      `time between two views; ${MIN_INTERVAL_SECONDS} to ${MAX_INTERVAL_SECONDS}`,
      parseInterval,
      1,
    )
    .option("--count <number>", "end after so many views (default: at Ctrl-C)", parseCount)
    .option("--json", "one JSON object per interval")
    .addHelpText(
      "after",
      `
Examples:
  $ taskwire top
  $ taskwire top --filter 'labels.team = docs' --interval 5
  $ taskwire top --json --count 2 | jq '.totals.finishedPerSecond'`,
    );
  return command.action(async () => {
    const { filter, interval, count, json } = command.opts<TopFlags>();
    const options = { filter, intervalMs: interval * 1000, ...(count === undefined ? {} : { count }) };
    await withClient(command, async (client) => {
      if (!process.stdout.isTTY || json === true) {
        await runTop(client, options, writeJson);
        return;
      }
      const live = new LiveLines(process.stdout);
      try {
        await runTop(client, options, (view) => live.update(topLines(view, live.height)));
      } finally {
        live.end();
      }
    });
  });
}

async function writeJson(view: TopView): Promise<void> {
  if (!process.stdout.write(`${JSON.stringify(view)}\n`)) await once(process.stdout, "drain");
}

function parseInterval(text: string): number {
  const seconds = parseNumber(text);
  if (seconds < MIN_INTERVAL_SECONDS || seconds > MAX_INTERVAL_SECONDS)
    throw new InvalidArgumentError(`it must be ${MIN_INTERVAL_SECONDS} to ${MAX_INTERVAL_SECONDS}`);
  return seconds;
}

function parseCount(text: string): number {
  const count = parseWhole(text);
  if (count < 1) throw new InvalidArgumentError("it must be 1 or more");
  return count;
}
