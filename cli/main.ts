#!/usr/bin/env -S node --min-semi-space-size=16 --max-semi-space-size=32
import { buildProgram } from "#cli/program.js";
import { reportError } from "#cli/report-error.js";

// A reader such as `head` that has seen enough is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? 0 : 1);
});

try {
  await buildProgram().parseAsync();
} catch (error) {
  const { text, exitCode } = reportError(error);
  if (text !== "") process.stderr.write(`${text}\n`);
  process.exitCode = exitCode;
}
