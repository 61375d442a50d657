import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { errorMessage } from "#libs/errors/error-message.js";
import { findTestFiles } from "#test/support/find-test-files.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { runCounts, summaryLine, type RunCounts } from "#test/support/summary-reporter.js";

const TESTS = fileURLToPath(new URL("../", import.meta.url));
const MOCHA = createRequire(import.meta.url).resolve("mocha/bin/mocha.js");

/**
 * What starts several processes and waits for them to notice each other's death or silence, or measures time, and so must have the machine
 * to itself: beside others its leases of a second end though nobody died.
 */
const ALONE = ["integration/", "robustness/", "unit/support/loop-hold.test.js"].map((path) =>
  relative(process.cwd(), join(TESTS, path)),
);

/** Beyond that the longest files decide how long a run takes. */
const MAX_JOBS = 4;

/**
 * Runs test files: several at a time, each in a process of its own, and after those one by one the files that need the machine for
 * themselves. The last line says how all of them ended together, and so does the exit code. Arguments: files, folders or patterns, default all tests; `--jobs N`: files
 * at a time, default one per core, at least 2 and at most 4.
 */
async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ options: { jobs: { type: "string" } }, allowPositionals: true });
  const jobs = Number(values.jobs ?? Math.min(MAX_JOBS, Math.max(2, availableParallelism())));
  if (!Number.isInteger(jobs) || jobs < 1) throw new Error("--jobs must be a whole number, 1 at least");
  const files = findTestFiles(TESTS, positionals.length > 0 ? positionals : [relative(process.cwd(), TESTS)]);
  const runs = [
    { files: files.filter((file) => !isAlone(file)), jobs },
    { files: files.filter(isAlone), jobs: 1 },
  ].filter((run) => run.files.length > 0);
  const all = { passed: 0, failed: 0, skipped: 0 };
  for (const run of runs) {
    const counts = await runMocha(run.files, run.jobs);
    all.passed += counts.passed;
    all.failed += counts.failed;
    all.skipped += counts.skipped;
  }
  process.stdout.write(`${summaryLine(all)}\n`);
  return all.failed === 0 ? 0 : 1;
}

function isAlone(file: string): boolean {
  return ALONE.some((path) => file.startsWith(path));
}

/** A run that does not tell how it ended, or ends with an exit code without telling of a failure, counts as one failure more. */
async function runMocha(files: readonly string[], jobs: number): Promise<RunCounts> {
  const directory = freshDirectory();
  const counts = join(directory.path, "counts.json");
  const parallel = jobs > 1 ? ["--parallel", "--jobs", String(jobs)] : [];
  const mocha = spawn(process.execPath, [MOCHA, ...parallel, "--reporter-option", `counts=${counts}`, ...files], {
    stdio: "inherit",
  });
  const [code, signal] = (await once(mocha, "close")) as [number | null, NodeJS.Signals | null];
  const told = readCounts(counts);
  directory.remove();
  if (told !== undefined && (code === 0 || told.failed > 0)) return told;
  process.stderr.write(`mocha ended with ${signal ?? `exit code ${code}`}\n`);
  const { passed, failed, skipped } = told ?? { passed: 0, failed: 0, skipped: 0 };
  return { passed, failed: failed + 1, skipped };
}

function readCounts(path: string): RunCounts | undefined {
  try {
    return runCounts.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return undefined;
  }
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`${errorMessage(error)}\n`);
  return 1;
});
