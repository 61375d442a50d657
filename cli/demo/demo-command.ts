import { fileURLToPath } from "node:url";
import { Command, InvalidArgumentError } from "commander";
import { EXIT } from "#cli/exit-codes.js";
import { runDemo } from "#cli/demo/run-demo.js";

const DEFAULT_DOCUMENTS = 200;
const MAX_DOCUMENTS = 1000;

/** `taskwire demo`: everything at work on real documents. */
export function demoCommand(): Command {
  const command = new Command("demo")
    .summary("see everything at work on real documents")
    .description(
      "Starts everything on free ports, digests the Markdown files of this project and the README files of the installed packages as one\n" +
        "batch of tasks, writes one report over them, and stops everything again.",
    )
    .option("--documents <number>", "at most so many documents", parseDocuments, DEFAULT_DOCUMENTS);
  return command.action(async () => {
    process.exitCode = await runUntilSignal(command.opts<{ documents: number }>().documents);
  });
}

async function runUntilSignal(maxDocuments: number): Promise<number> {
  const stopped = new AbortController();
  const onSignal = () => {
    if (stopped.signal.aborted) process.exit(EXIT.detached);
    stopped.abort(new Error("stopped by a signal"));
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);
  const root = fileURLToPath(new URL("../../../", import.meta.url));
  try {
    return await runDemo({ root, maxDocuments, output: process.stdout, signal: stopped.signal });
  } catch (error) {
    if (!stopped.signal.aborted) throw error;
    process.stdout.write("\nStopped; nothing is left running.\n");
    return EXIT.detached;
  } finally {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.off(signal, onSignal);
  }
}

function parseDocuments(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > MAX_DOCUMENTS) {
    throw new InvalidArgumentError(`it must be a whole number in 1–${MAX_DOCUMENTS}`);
  }
  return number;
}
