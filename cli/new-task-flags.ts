import type { Command } from "commander";
import type { CreateOptions } from "#libs/client/taskwire-client.js";
import { UsageError } from "#cli/command-errors.js";
import { parseLabel, parseList, parseNumber, parseSpan, parseTime, parseWhole } from "#cli/parse-values.js";

const MEBIBYTE = 1024 * 1024;

interface NewTaskFlags {
  readonly queue?: string;
  readonly priority?: number;
  readonly label?: Record<string, string>;
  readonly maxAttempts?: number;
  readonly runAt?: Date;
  readonly delay?: number;
  readonly requestId?: string;
  readonly description?: string;
  readonly softTimeout?: number;
  readonly hardTimeout?: number;
  readonly memory?: number;
  readonly initialDelay?: number;
  readonly maximumDelay?: number;
  readonly multiplier?: number;
  readonly totalTimeout?: number;
  readonly cancelUnwatched?: number;
  readonly webhook?: string;
  readonly retryableCode?: string[];
  readonly permanentCode?: string[];
}

/** Adds the arguments and flags of a command that creates a task. */
export function addNewTaskFlags(command: Command): Command {
  return command
    .argument("<type>", "the name of the handler, for example text.digest")
    .argument("[payload]", "a JSON object, @FILE, or - for stdin", "{}")
    .option("--queue <name>", "the queue (default: default)")
    .option("--priority <number>", "higher runs sooner; -100 to 100 (default: 0)", parseWhole)
    .option("--label <key=value>", "a label; may be repeated", parseLabel)
    .option("--max-attempts <number>", "attempts in all; 1 to 100 (default: the handler's)", parseWhole)
    .option("--run-at <time>", "the earliest time of the first attempt, for example 2026-03-01T08:00:00Z", parseTime)
    .option("--delay <span>", "the same as a span from now: 30s, 5m, 2h, 1d", parseSpan)
    .option("--soft-timeout <span>", "when the handler's abort signal fires", parseSpan)
    .option("--hard-timeout <span>", "when the handler is killed", parseSpan)
    .option("--memory <MiB>", "memory of the handler's process, beyond which it is killed", parseWhole)
    .option("--initial-delay <span>", "longest wait before the second attempt (default: 1s)", parseSpan)
    .option("--maximum-delay <span>", "longest wait before any attempt (default: 10m)", parseSpan)
    .option("--multiplier <number>", "growth of the wait from attempt to attempt; 1 to 10 (default: 2)", parseNumber)
    .option("--total-timeout <span>", "after how long from when it is due no new attempt starts", parseSpan)
    .option(
      "--cancel-unwatched <span>",
      "cancel the task when no run has been attached to it for so long; 1s to 1d",
      parseSpan,
    )
    .option("--retryable-code <code>", "an error code that is retried; may be repeated (default: all)", parseList)
    .option("--permanent-code <code>", "an error code that is never retried; may be repeated", parseList)
    .option("--webhook <url>", "who gets a signed HTTP message when the task ends")
    .option("--request-id <id>", "makes the create idempotent: the same id and task give the first task again")
    .option("--description <text>", "a sentence for people");
}

/** The flags as the client library takes them. */
export function newTaskOptions(command: Command): CreateOptions {
  const flags = command.opts<NewTaskFlags>();
  if (flags.runAt !== undefined && flags.delay !== undefined)
    throw new UsageError("--run-at and --delay exclude each other");
  const runTime = flags.delay === undefined ? flags.runAt : new Date(Date.now() + flags.delay);
  return {
    ...(flags.queue === undefined ? {} : { queue: flags.queue }),
    ...(flags.priority === undefined ? {} : { priority: flags.priority }),
    ...(flags.label === undefined ? {} : { labels: flags.label }),
    ...(flags.maxAttempts === undefined ? {} : { maxAttempts: flags.maxAttempts }),
    ...(runTime === undefined ? {} : { runTime }),
    ...(flags.softTimeout === undefined ? {} : { softTimeoutMs: flags.softTimeout }),
    ...(flags.hardTimeout === undefined ? {} : { hardTimeoutMs: flags.hardTimeout }),
    ...(flags.memory === undefined ? {} : { memoryBytes: flags.memory * MEBIBYTE }),
    ...(flags.initialDelay === undefined ? {} : { initialDelayMs: flags.initialDelay }),
    ...(flags.maximumDelay === undefined ? {} : { maximumDelayMs: flags.maximumDelay }),
    ...(flags.multiplier === undefined ? {} : { multiplier: flags.multiplier }),
    ...(flags.totalTimeout === undefined ? {} : { totalTimeoutMs: flags.totalTimeout }),
    ...(flags.cancelUnwatched === undefined ? {} : { cancelUnwatchedAfterMs: flags.cancelUnwatched }),
    ...(flags.retryableCode === undefined ? {} : { retryableCodes: flags.retryableCode }),
    ...(flags.permanentCode === undefined ? {} : { permanentCodes: flags.permanentCode }),
    ...(flags.webhook === undefined ? {} : { webhook: flags.webhook }),
    ...(flags.requestId === undefined ? {} : { requestId: flags.requestId }),
    ...(flags.description === undefined ? {} : { description: flags.description }),
  };
}
