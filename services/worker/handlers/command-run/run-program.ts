import { environment } from "#libs/config/environment.js";
import { PermanentError, RetryableError, type TaskContext } from "#libs/define-task/define-task.js";
import type { ConfiguredCommand } from "#worker/handlers/command-run/command-file.js";
import { LineSplitter } from "#worker/handlers/command-run/line-splitter.js";
import { ProgramGroup, type ProgramExit, type ProgramInput } from "#worker/handlers/command-run/program-group.js";
import {
  protocolError,
  readProgramLine,
  type ProgramError,
  type ProgramLine,
} from "#worker/handlers/command-run/program-line.js";

/** Reasons not to start a program that do not pass by themselves. */
const LASTING: ReadonlySet<string> = new Set([
  "EACCES",
  "EPERM",
  "ENOEXEC",
  "E2BIG",
  "EISDIR",
  "ELOOP",
  "ENAMETOOLONG",
]);

/** What a program said about its end. */
interface ProgramEnd {
  result?: { readonly value: unknown };
  error?: ProgramError;
}

/**
 * Runs a program to its end: `input` as one line of JSON on its stdin, what it says on stdout to the task. Returns its result, null when it
 * names none.
 *
 * Throws what the program says; the signal's reason; `COMMAND_TIMEOUT`, `COMMAND_FAILED` (both retryable), `COMMAND_NOT_FOUND`,
 * `COMMAND_PROTOCOL_ERROR` or `COMMAND_OUTPUT_TOO_LARGE`. Whatever it throws or returns, the program and what it has started are gone.
 */
export async function runProgram(command: ConfiguredCommand, input: unknown, task: TaskContext): Promise<unknown> {
  task.signal.throwIfAborted();
  const { limits } = command;
  const end: ProgramEnd = {};
  let broken: unknown;
  let lineNumber = 0;
  const splitter = new LineSplitter(limits, (line) => {
    lineNumber += 1;
    if (line.trim() !== "") tell(task, readProgramLine(line, lineNumber), lineNumber, end);
  });
  const guarded = (read: () => void) => {
    if (broken !== undefined) return;
    try {
      read();
    } catch (error) {
      broken = error;
      group.kill();
    }
  };
  const group = startGroup(command, {
    env: programEnvironment(command, task),
    stdin: `${JSON.stringify(input)}\n`,
    onStdout: (chunk) => {
      guarded(() => {
        splitter.write(chunk);
      });
    },
  });
  let timedOut = false;
  const onAbort = () => {
    group.stop(limits.graceMs);
  };
  const timer = setTimeout(() => {
    timedOut = true;
    group.stop(limits.graceMs);
  }, limits.timeoutMs);
  task.signal.addEventListener("abort", onAbort, { once: true });
  try {
    const exit = await group.exit;
    guarded(() => {
      splitter.end();
    });
    if (broken === undefined && exit.exitCode === 0 && end.error === undefined && end.result !== undefined)
      return end.result.value;
    if (end.error === undefined) task.signal.throwIfAborted();
    if (broken !== undefined) throw withStderr(broken, group.stderrTail);
    return ending(exit, end, timedOut ? limits.timeoutMs : undefined, group.stderrTail);
  } catch (error) {
    throw startFailure(error, command);
  } finally {
    clearTimeout(timer);
    task.signal.removeEventListener("abort", onAbort);
  }
}

function startGroup(command: ConfiguredCommand, input: ProgramInput): ProgramGroup {
  try {
    return new ProgramGroup(command, input);
  } catch (error) {
    throw startFailure(error, command);
  }
}

/** PATH and LANG of the worker, the attempt, and what is configured: never the rest of the worker's environment. */
function programEnvironment(command: ConfiguredCommand, task: TaskContext): Record<string, string> {
  const { PATH = "", LANG = "C.UTF-8" } = environment();
  return { PATH, LANG, ...command.env, TASKWIRE_TASK_ID: task.taskId, TASKWIRE_ATTEMPT: String(task.attempt) };
}

function tell(task: TaskContext, line: ProgramLine, lineNumber: number, end: ProgramEnd): void {
  if (end.result !== undefined || end.error !== undefined) throw protocolError("comes after the end", lineNumber);
  if ("progress" in line) task.progress(line.progress);
  else if ("log" in line) task.log[line.log.level](line.log.message, line.log.fields);
  else if ("output" in line) task.output(line.output);
  else if ("error" in line) end.error = line.error;
  else end.result = { value: line.result };
}

/** What the end of a program without a result means. */
function ending(exit: ProgramExit, end: ProgramEnd, timeoutMs: number | undefined, stderr: string): null {
  const { exitCode, signal } = exit;
  const details = {
    ...(exitCode === null ? {} : { exitCode }),
    ...(signal === null ? {} : { signal }),
    ...(stderr === "" ? {} : { stderr }),
  };
  if (end.error !== undefined) {
    const { code, message, retryable, retryAfterMs } = end.error;
    if (!retryable) throw new PermanentError(code, message, { details });
    throw new RetryableError(code, message, { details, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
  }
  if (timeoutMs !== undefined)
    throw new RetryableError("COMMAND_TIMEOUT", `the program ran longer than ${timeoutMs} ms`, { details });
  if (exitCode === 0) return null;
  const how = signal === null ? `with exit code ${exitCode}` : `by ${signal}`;
  throw new RetryableError("COMMAND_FAILED", `the program ended ${how}`, { details });
}

function withStderr(error: unknown, stderr: string): unknown {
  if (!(error instanceof PermanentError) || stderr === "") return error;
  return new PermanentError(error.code, error.message, { details: { ...error.details, stderr }, cause: error });
}

/** A program that cannot be started: for good where it is missing or may not be run, else it may pass (EAGAIN, ENOMEM, …). */
function startFailure(error: unknown, { argv, cwd }: ConfiguredCommand): unknown {
  if (!(error instanceof Error && "syscall" in error && "code" in error)) return error;
  const systemCode = String(error.code);
  const details = { program: argv[0] ?? "", cwd, systemCode };
  if (systemCode === "ENOENT" || systemCode === "ENOTDIR") {
    const message = `there is no program ${argv[0]}, or no directory ${cwd} to run it in`;
    return new PermanentError("COMMAND_NOT_FOUND", message, { details, cause: error });
  }
  const kind = LASTING.has(systemCode) ? PermanentError : RetryableError;
  return new kind("COMMAND_FAILED", `the program cannot be started: ${systemCode}`, { details, cause: error });
}
