import { rm, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { TaskwireClient } from "#libs/client/taskwire-client.js";
import { nothingNamed, quantile } from "#cli/bench/scenario.js";
import { recoveryCases } from "#cli/bench/recovery/recovery-cases.js";
import { startLocalStack } from "#cli/local-stack.js";

/** What `taskwire bench --recovery` is asked to do. */
export interface RecoveryOptions {
  /** How often each thing is broken. */
  readonly rounds: number;
  /** Only cases whose name contains this text. */
  readonly only: string;
  /** Where to write all figures as JSON; empty: nowhere. */
  readonly jsonFile: string;
  /** Emptied, then used by the benchmark's own stack. */
  readonly dataDir: string;
  readonly print: (line: string) => void;
}

const TASKS = fileURLToPath(new URL("./recovery-tasks.js", import.meta.url));
const WORKERS = 2;

/** Breaks one thing after the other on a stack of its own with default settings and prints how long recovery took. */
export async function runRecovery(options: RecoveryOptions): Promise<void> {
  const { rounds, dataDir, print } = options;
  const cases = recoveryCases.filter(({ name }) => name.includes(options.only));
  if (cases.length === 0) throw nothingNamed(options.only, recoveryCases);
  await rm(dataDir, { recursive: true, force: true });
  const stack = await startLocalStack({
    dataDir,
    workers: WORKERS,
    workerArgs: ["--tasks", TASKS],
    logFile: join(dataDir, "bench.log"),
  });
  const client = new TaskwireClient({ address: stack.address, batching: false });
  const results: { name: string; about: string; milliseconds: number[] }[] = [];
  try {
    print(
      `${cpus().length} cores, Node ${process.version}, ${WORKERS} workers, default settings, ${rounds} rounds each`,
    );
    for (const { name, about, run } of cases) {
      const milliseconds: number[] = [];
      for (let round = 0; round < rounds; round += 1) milliseconds.push(await run(stack, client));
      results.push({ name, about, milliseconds });
      const sorted = [...milliseconds].sort((a, b) => a - b);
      const text = (q: number) => `${(quantile(sorted, q) / 1000).toFixed(2)} s`;
      print(`${name.padEnd(16)} median ${text(0.5)}   p99 ${text(0.99)}   ${about}`);
    }
    if (options.jsonFile !== "") {
      const report = { node: process.version, cores: cpus().length, rounds, results };
      await writeFile(options.jsonFile, `${JSON.stringify(report, null, 2)}\n`);
    }
  } finally {
    client.close();
    await stack.stop();
  }
}
