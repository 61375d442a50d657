import { z } from "zod";
import { PermanentError } from "#libs/define-task/define-task.js";
import { isErrorCode } from "#libs/tasks/outcome-code.js";
import { MAX_RETRY_DELAY_MS } from "#libs/tasks/limits.js";

/** Levels of a log line. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

const units = z.number().min(0);

const programLine = z.union([
  z.strictObject({
    progress: z.strictObject({
      fraction: z.number().min(0).max(1).exactOptional(),
      current: units.exactOptional(),
      total: units.exactOptional(),
      message: z.string().exactOptional(),
    }),
  }),
  z.strictObject({
    log: z.strictObject({
      level: z.enum(LOG_LEVELS).default("info"),
      message: z.string(),
      fields: z.record(z.string(), z.unknown()).optional(),
    }),
  }),
  z.strictObject({ output: z.string() }),
  z.strictObject({ result: z.unknown() }).refine((line) => "result" in line),
  z.strictObject({
    error: z.strictObject({
      code: z.string().refine(isErrorCode),
      message: z.string(),
      retryable: z.boolean().default(true),
      retryAfterMs: z.number().min(0).max(MAX_RETRY_DELAY_MS).optional(),
    }),
  }),
]);

/** One line of a program's stdout. */
export type ProgramLine = z.infer<typeof programLine>;

/** Why a program failed, in its own words. */
export type ProgramError = Extract<ProgramLine, { error: unknown }>["error"];

/** What a program that breaks the protocol fails its task with. Never quotes the line. */
export function protocolError(problem: string, lineNumber: number): PermanentError {
  return new PermanentError("COMMAND_PROTOCOL_ERROR", `line ${lineNumber} of the program's stdout ${problem}`, {
    details: { line: lineNumber },
  });
}

/** Reads a line; `lineNumber` counts from 1. Throws {@link protocolError}. */
export function readProgramLine(line: string, lineNumber: number): ProgramLine {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw protocolError("is no JSON", lineNumber);
  }
  const read = programLine.safeParse(value);
  if (!read.success)
    throw protocolError("is none of progress, log, output, result and error as they must be", lineNumber);
  return read.data;
}
