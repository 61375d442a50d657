import { Command, InvalidArgumentError } from "commander";

/** `taskwire bench`: measures this machine. */
export function benchCommand(): Command {
  return new Command("bench")
    .summary("measure throughput and latency on this machine")
    .description(
      "Starts a stack of its own on free ports, measures create, end to end and watch with full durability, and prints medians.",
    )
    .option("--runs <n>", "runs of each scenario", atLeastOne, 3)
    .option("--scale <share>", "share of the usual number of tasks", positive, 1)
    .option("--finished <n>", "finished tasks in the database before anything is measured", atLeastOne, 0)
    .option("--only <text>", "only scenarios whose name contains this", "")
    .option("--json <file>", "write all figures as JSON", "")
    .option("--data <folder>", "folder of the benchmark's stack; it is emptied", ".taskwire/bench")
    .addHelpText(
      "after",
      "\nExamples:\n  $ taskwire bench\n  $ taskwire bench --scale 0.1 --only batch --json figures.json",
    )
    .action(
      async (options: { runs: number; scale: number; finished: number; only: string; json: string; data: string }) => {
        const { runBench } = await import("#cli/bench/run-bench.js");
        await runBench({
          runs: options.runs,
          scale: options.scale,
          finished: options.finished,
          only: options.only,
          jsonFile: options.json,
          dataDir: options.data,
          print: (line) => {
            process.stdout.write(`${line}\n`);
          },
        });
      },
    );
}

function atLeastOne(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("it must be a whole number of at least 1");
  return value;
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError("it must be above 0");
  return value;
}
