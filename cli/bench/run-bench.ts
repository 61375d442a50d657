import { writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { TaskwireClient } from "#libs/client/taskwire-client.js";
import { startBenchStack, type BenchStack } from "#cli/bench/bench-stack.js";
import { busyScenario } from "#cli/bench/busy-scenario.js";
import { nothingNamed, quantile, type Figures, type Scenario } from "#cli/bench/scenario.js";
import { finishTasks, throughputScenarios } from "#cli/bench/throughput-scenarios.js";
import { watchScenarios } from "#cli/bench/watch-scenarios.js";

/** What `taskwire bench` is asked to do. */
export interface BenchOptions {
  /** Runs of each scenario; the median counts. */
  readonly runs: number;
  /** Share of the usual number of tasks, for example 0.1 for a quick look. */
  readonly scale: number;
  /** Finished tasks in the database before anything is measured. */
  readonly finished: number;
  /** Only scenarios whose name contains this text. */
  readonly only: string;
  /** Whether payloads and results are encrypted at rest and on NATS. */
  readonly encrypted: boolean;
  /** Where to write all figures as JSON; empty: nowhere. */
  readonly jsonFile: string;
  /** Emptied, then used by the benchmark's own stack. */
  readonly dataDir: string;
  readonly print: (line: string) => void;
}

interface Result {
  readonly scenario: string;
  readonly about: string;
  readonly tasks: number;
  readonly runs: readonly Figures[];
  readonly medians: Figures;
  /** CPU microseconds per task, by process; median of the runs. */
  readonly cpuMicrosPerTask: Figures;
}

/** Measures on a stack of its own and prints a table of medians. */
export async function runBench(options: BenchOptions): Promise<void> {
  const all = [...throughputScenarios, ...watchScenarios, busyScenario];
  const scenarios = all.filter(({ name }) => name.includes(options.only));
  if (scenarios.length === 0) throw nothingNamed(options.only, all);
  const stack = await startBenchStack(options);
  const single = new TaskwireClient({ address: stack.address, batching: false, retryForMs: 0 });
  const gathering = new TaskwireClient({ address: stack.address });
  const results: Result[] = [];
  if (options.finished > 0) {
    options.print(`finishing ${options.finished.toLocaleString("en-US")} tasks first …`);
    await finishTasks(single, options.finished);
  }
  const rssBefore = rssOf(stack);
  try {
    options.print(
      `${cpus().length} cores, Node ${process.version}, synchronous=FULL${options.encrypted ? ", encrypted" : ""}, median of ${options.runs} runs; all processes share the machine`,
    );
    for (const scenario of scenarios) {
      const result = await measure(scenario, stack, { single, gathering }, options);
      results.push(result);
      options.print(
        `${scenario.name.padEnd(24)} ${describe(result.medians)}   CPU µs/task: ${describe(result.cpuMicrosPerTask)}`,
      );
    }
    const rssAfter = rssOf(stack);
    options.print(`resident MiB before: ${describe(rssBefore)}, after: ${describe(rssAfter)}`);
    if (options.jsonFile !== "") {
      const report = {
        node: process.version,
        cores: cpus().length,
        runs: options.runs,
        results,
        rssMiB: { before: rssBefore, after: rssAfter },
      };
      await writeFile(options.jsonFile, `${JSON.stringify(report, null, 2)}\n`);
    }
  } finally {
    single.close();
    gathering.close();
    await stack.stop();
  }
}

async function measure(
  scenario: Scenario,
  stack: BenchStack,
  clients: { single: TaskwireClient; gathering: TaskwireClient },
  options: BenchOptions,
): Promise<Result> {
  const tasks = Math.max(1, Math.round(scenario.tasks * options.scale));
  const runs: Figures[] = [];
  const cpu: Figures[] = [];
  // One run to warm up: compiled code, open pages, established connections.
  await scenario.run({ ...clients, tasks: Math.ceil(tasks / 4) });
  for (let run = 0; run < options.runs; run += 1) {
    const before = stack.usage();
    runs.push(await scenario.run({ ...clients, tasks }));
    const after = stack.usage();
    cpu.push(
      Object.fromEntries(
        Object.entries(after).map(([name, usage]) => [
          name,
          ((usage.cpuMs - (before[name]?.cpuMs ?? 0)) * 1000) / tasks,
        ]),
      ),
    );
  }
  return {
    scenario: scenario.name,
    about: scenario.about,
    tasks,
    runs,
    medians: mediansOf(runs),
    cpuMicrosPerTask: mediansOf(cpu),
  };
}

function mediansOf(runs: readonly Figures[]): Figures {
  const names = Object.keys(runs[0] ?? {});
  return Object.fromEntries(
    names.map((name) => [
      name,
      quantile(
        runs.map((run) => run[name] ?? Number.NaN).sort((a, b) => a - b),
        0.5,
      ),
    ]),
  );
}

function rssOf(stack: BenchStack): Figures {
  return Object.fromEntries(
    Object.entries(stack.usage()).map(([name, usage]) => [name, usage.rssBytes / (1024 * 1024)]),
  );
}

function describe(figures: Figures): string {
  return Object.entries(figures)
    .map(([name, value]) => `${name} ${value >= 100 ? Math.round(value).toLocaleString("en-US") : value.toFixed(1)}`)
    .join("  ");
}
