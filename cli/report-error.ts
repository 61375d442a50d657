import { CommanderError } from "commander";
import pc from "picocolors";
import { CONFIG_EXIT_CODE, ConfigError } from "#libs/config/settings.js";
import { errorMessage } from "#libs/errors/error-message.js";
import { TaskwireError } from "#libs/errors/taskwire-error.js";
import { TRANSPORT_REASON } from "#libs/rpc/service-error.js";
import { Detached, UsageError } from "#cli/command-errors.js";
import { EXIT } from "#cli/exit-codes.js";

/** What a failed command prints to stderr, and the code it exits with. */
export interface ErrorReport {
  readonly text: string;
  readonly exitCode: number;
}

/** Turns anything thrown by a command into words for people and an exit code for programs. */
export function reportError(error: unknown): ErrorReport {
  // Commander has printed its own message, or the help that was asked for.
  if (error instanceof CommanderError) return { text: "", exitCode: error.exitCode === 0 ? EXIT.ok : EXIT.usage };
  if (error instanceof Detached) return { text: error.message, exitCode: EXIT.detached };
  if (error instanceof UsageError) return { text: failure(error.message), exitCode: EXIT.usage };
  if (error instanceof ConfigError) return { text: failure(error.message), exitCode: CONFIG_EXIT_CODE };
  if (error instanceof TaskwireError) return reportTaskwireError(error);
  return { text: failure(errorMessage(error)), exitCode: EXIT.failed };
}

function reportTaskwireError(error: TaskwireError): ErrorReport {
  switch (error.code) {
    case "INVALID_ARGUMENT":
    case "OUT_OF_RANGE":
      return { text: failure(violationText(error)), exitCode: EXIT.usage };
    case "NOT_FOUND":
      return { text: failure(error.message), exitCode: EXIT.notFound };
    case "UNAVAILABLE":
      return { text: failure(unavailableText(error)), exitCode: EXIT.unavailable };
    case "DEADLINE_EXCEEDED":
      return { text: failure(error.message), exitCode: EXIT.unavailable };
    case "RESOURCE_EXHAUSTED":
      return { text: refusal(error), exitCode: error.reason === "MESSAGE_TOO_LARGE" ? EXIT.failed : EXIT.tryLater };
    default:
      return { text: refusal(error), exitCode: EXIT.failed };
  }
}

function violationText(error: TaskwireError): string {
  if (error.violations.length === 0) return error.message;
  return error.violations.map(({ field, description }) => `${field}: ${description}`).join("\n  ");
}

function unavailableText(error: TaskwireError): string {
  if (error.reason !== TRANSPORT_REASON) return error.message;
  return [
    error.message,
    "Start everything on this machine with `taskwire dev`, or say where the service is with --address HOST:PORT",
    "or TASKWIRE_ADDRESS.",
  ].join("\n  ");
}

function refusal({ message, code, reason }: TaskwireError): string {
  return failure(`${message} (${code}, ${reason})`);
}

function failure(text: string): string {
  return `${pc.red("error:")} ${text}`;
}
