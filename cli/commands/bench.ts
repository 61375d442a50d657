import { Command, InvalidArgumentError } from "commander";

interface BenchFlags {
  readonly runs: number;
  readonly scale: number;
  readonly finished: number;
  readonly only: string;
  readonly encrypted: boolean;
  readonly recovery: boolean;
  readonly watch: boolean;
  readonly rounds: number;
  readonly json: string;
  readonly data: string;
}

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
    .option("--encrypted", "with payloads and results encrypted at rest and on NATS", false)
    .option("--recovery", "measure instead how long recovery takes when something is killed or paused", false)
    .option("--watch", "measure instead how watching scales; some cases open 10,000 streams", false)
    .option("--rounds <n>", "with --recovery: how often each thing is broken", atLeastOne, 20)
    .option("--json <file>", "write all figures as JSON", "")
    .option("--data <folder>", "folder of the benchmark's stack; it is emptied", ".taskwire/bench")
    .addHelpText(
      "after",
      "\nExamples:\n  $ taskwire bench\n  $ taskwire bench --scale 0.1 --only batch --json figures.json\n  $ taskwire bench --recovery\n  $ taskwire bench --watch --only everything",
    )
    .action(async (options: BenchFlags) => {
      const print = (line: string) => {
        process.stdout.write(`${line}\n`);
      };
      if (options.recovery) {
        const { runRecovery } = await import("#cli/bench/recovery/run-recovery.js");
        const { rounds, only, json: jsonFile, data: dataDir } = options;
        await runRecovery({ rounds, only, jsonFile, dataDir, print });
        return;
      }
      if (options.watch) {
        const { runWatching } = await import("#cli/bench/watching/run-watching.js");
        const { scale, only, json: jsonFile, data: dataDir } = options;
        await runWatching({ scale, only, jsonFile, dataDir, print });
        return;
      }
      const { runBench } = await import("#cli/bench/run-bench.js");
      await runBench({
        runs: options.runs,
        scale: options.scale,
        finished: options.finished,
        only: options.only,
        jsonFile: options.json,
        dataDir: options.data,
        encrypted: options.encrypted,
        print,
      });
    });
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
