import { rm, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { TaskwireClient } from "#libs/client/taskwire-client.js";
import { readProcessUsage } from "#cli/bench/process-usage.js";
import { nothingNamed, type Figures } from "#cli/bench/scenario.js";
import { catchUpCase } from "#cli/bench/watching/catch-up-case.js";
import { everythingCases } from "#cli/bench/watching/everything-cases.js";
import { fanOutCases } from "#cli/bench/watching/fan-out-cases.js";
import { stalledCase } from "#cli/bench/watching/stalled-case.js";
import { connections, type WatchingCase } from "#cli/bench/watching/watching-bench.js";
import { startLocalStack, type LocalStack } from "#cli/local-stack.js";

/** What `taskwire bench --watch` is asked to do. */
export interface WatchingOptions {
  /** Share of the usual size. */
  readonly scale: number;
  /** Only cases whose name contains this text; `stalled`, which takes 14 minutes, only where it is named. */
  readonly only: string;
  /** Where to write all figures as JSON; empty: nowhere. */
  readonly jsonFile: string;
  /** Emptied, then used by the benchmark's own stack. */
  readonly dataDir: string;
  readonly print: (line: string) => void;
}

const TASKS = fileURLToPath(new URL("./watching-tasks.js", import.meta.url));
const QUIET = { TASKWIRE_LOG_LEVEL: "warn" };
const SLOTS = "1000";
const MIB = 1024 * 1024;

/** Measures watching, case by case, on a stack of its own with full durability. */
export async function runWatching(options: WatchingOptions): Promise<void> {
  const { scale, dataDir, print, only } = options;
  const all: readonly WatchingCase[] = [...fanOutCases, ...everythingCases, catchUpCase, stalledCase];
  const cases = all.filter((each) => each.name.includes(only) && (each !== stalledCase || only !== ""));
  if (cases.length === 0) throw nothingNamed(only, all);
  print(`${cpus().length} cores, Node ${process.version}, synchronous=FULL; all processes share the machine`);
  const results: { name: string; about: string; figures: Figures }[] = [];
  for (const { name, about, run } of cases) {
    await rm(dataDir, { recursive: true, force: true });
    const stack = await startLocalStack({
      dataDir,
      serviceEnv: QUIET,
      workerEnv: { ...QUIET, TASKWIRE_SLOTS: SLOTS, TASKWIRE_WARM_PROCESSES: "0" },
      workerArgs: ["--tasks", TASKS],
      logFile: join(dataDir, "bench.log"),
    });
    const client = new TaskwireClient({ address: stack.address });
    const watchers = connections(stack.address);
    try {
      const cpuBefore = cpuOf(stack);
      const figures = await run({ stack, client, watchers, scale });
      results.push({ name, about, figures: { ...figures, ...used(cpuBefore, cpuOf(stack)), ...rssOf(stack) } });
      print(`${name.padEnd(22)} ${describe(results.at(-1)?.figures ?? {})}\n${" ".repeat(23)}${about}`);
    } finally {
      client.close();
      for (const watcher of watchers) watcher.close();
      await stack.stop();
    }
  }
  if (options.jsonFile !== "") {
    const report = { node: process.version, cores: cpus().length, scale, results };
    await writeFile(options.jsonFile, `${JSON.stringify(report, null, 2)}\n`);
  }
}

function cpuOf({ service, workers }: LocalStack): Record<string, number> {
  const pids: Record<string, number | undefined> = {
    client: process.pid,
    service: service.pid,
    worker: workers[0]?.pid,
  };
  return Object.fromEntries(
    Object.entries(pids).map(([name, pid]) => [name, (pid && readProcessUsage(pid)?.cpuMs) || 0]),
  );
}

function used(before: Record<string, number>, after: Record<string, number>): Figures {
  const spent = Object.entries(after).map(([name, ms]) => [`CPU s ${name}`, (ms - (before[name] ?? 0)) / 1000]);
  return Object.fromEntries(spent) as Figures;
}

function rssOf({ service }: LocalStack): Figures {
  return { "MiB service": (readProcessUsage(service.pid ?? 0)?.rssBytes ?? 0) / MIB };
}

function describe(figures: Figures): string {
  return Object.entries(figures)
    .map(([name, value]) => `${name} ${value.toLocaleString("en-US", { maximumFractionDigits: value < 100 ? 1 : 0 })}`)
    .join("  ");
}
