import { performance } from "node:perf_hooks";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import pc from "picocolors";
import { TaskwireClient } from "#libs/client/taskwire-client.js";
import { collectDocuments, type DemoDocument } from "#cli/demo/collect-documents.js";
import { followReport, type ReportOutcome } from "#cli/demo/follow-report.js";
import { followToEnd } from "#cli/demo/follow-to-end.js";
import { formatCount, formatSeconds } from "#cli/demo/progress-text.js";
import { progressView } from "#cli/demo/progress-view.js";
import { TaskBoard } from "#cli/demo/task-board.js";
import { EXIT, type ExitCode } from "#cli/exit-codes.js";
import { startLocalStack } from "#cli/local-stack.js";

/** How the demo runs. */
export interface DemoOptions {
  /** The project whose documents are digested; `.taskwire/demo` is made in it. */
  readonly root: string;
  /** Most documents, [1, 1000]. */
  readonly maxDocuments: number;
  readonly output: NodeJS.WriteStream;
  /** Stops everything. */
  readonly signal: AbortSignal;
}

const TOPIC = "Background tasks, queues, streams and their progress";
const HEAD_LINES = 12;
const MAX_FAILURES_SHOWN = 10;

/**
 * The main job on real input: starts everything on free ports, digests every Markdown file of the project and every installed README as
 * one batch of `text.digest` tasks, writes one `report.generate` report over them, and stops everything again. Progress is shown live
 * from watch streams.
 *
 * @returns 0, or 1 when a task failed; rejects with the signal's reason when it fires
 */
export async function runDemo(options: DemoOptions): Promise<ExitCode> {
  const { root, output, signal } = options;
  const say = (line: string) => void output.write(`${line}\n`);
  const demoDir = join(root, ".taskwire", "demo");
  await mkdir(demoDir, { recursive: true });
  const dataDir = await mkdtemp(join(demoDir, "run-"));
  let kept = false;
  try {
    const documents = await collectDocuments(root, options.maxDocuments);
    if (documents.length === 0) throw new Error(`there is no Markdown file in ${root}`);
    signal.throwIfAborted();
    const exitCode = await withStack(dataDir, signal, say, async (client, stopped) => {
      const digests = await digestAll(client, documents, output, stopped);
      const report = await followReport(
        client,
        { topic: TOPIC, documents, outputPath: join(demoDir, "report.md") },
        progressView(output),
        stopped,
      );
      return showOutcome(digests, report, root, say);
    });
    kept = exitCode !== EXIT.ok;
    return exitCode;
  } catch (error) {
    kept = !signal.aborted;
    throw error;
  } finally {
    if (kept) say(`Logs and data are kept in ${relative(process.cwd(), dataDir)}`);
    else await rm(dataDir, { recursive: true, force: true });
  }
}

async function withStack<T>(
  dataDir: string,
  signal: AbortSignal,
  say: (line: string) => void,
  use: (client: TaskwireClient, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const startMs = performance.now();
  say("Starting NATS, the task-service and a worker …");
  const stack = await startLocalStack({ dataDir });
  const died = new AbortController();
  stack.onUnexpectedExit((name, how) => {
    died.abort(new Error(`${name} ended with ${how}`));
  });
  const client = new TaskwireClient({ address: stack.address });
  try {
    signal.throwIfAborted();
    say(`Everything runs at ${stack.address} after ${formatSeconds(performance.now() - startMs)}.\n`);
    return await use(client, AbortSignal.any([signal, died.signal]));
  } finally {
    client.close();
    await stack.stop();
  }
}

async function digestAll(
  client: TaskwireClient,
  documents: readonly DemoDocument[],
  output: NodeJS.WriteStream,
  signal: AbortSignal,
): Promise<TaskBoard> {
  const board = new TaskBoard("text.digest", documents.length, progressView(output));
  const tasks = await client.createMany(
    documents.map(({ path, title }) => ({ type: "text.digest", payload: { path, title } })),
  );
  const named = tasks.map((task, index) => ({ id: task.id, title: documents[index]?.title ?? task.id }));
  try {
    await followToEnd(client, named, board, signal);
  } finally {
    board.end();
  }
  return board;
}

async function showOutcome(
  digests: TaskBoard,
  report: ReportOutcome,
  root: string,
  say: (line: string) => void,
): Promise<ExitCode> {
  const { failures, total, elapsedMs } = digests;
  const rate = formatCount(total / (elapsedMs / 1000));
  say(
    `\n${total} digests in ${formatSeconds(elapsedMs)}, ${rate} tasks/s; report in ${formatSeconds(report.elapsedMs)}.`,
  );
  for (const { title, reason } of failures.slice(0, MAX_FAILURES_SHOWN)) say(`${pc.red("failed")} ${title}: ${reason}`);
  if (failures.length > MAX_FAILURES_SHOWN) say(`… and ${failures.length - MAX_FAILURES_SHOWN} more`);
  if (!report.ok) {
    say(`${pc.red("failed")} report.generate: ${report.reason}`);
    return EXIT.failed;
  }
  const { path, documents, bytes, sha256 } = report;
  say(
    `${pc.bold("Report")}: ${relative(root, path)} (${documents} documents, ${formatCount(bytes / 1024)} KiB, sha256 ${sha256.slice(0, 12)}…)\n`,
  );
  const head = (await readFile(path, "utf8")).split("\n").slice(0, HEAD_LINES);
  for (const line of head) say(pc.dim(`  │ ${line}`));
  return failures.length === 0 ? EXIT.ok : EXIT.failed;
}
