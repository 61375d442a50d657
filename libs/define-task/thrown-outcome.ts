import { cutText, errorMessage } from "#libs/errors/error-message.js";
import {
  MAX_ERROR_DETAILS_BYTES,
  MAX_MESSAGE_CHARACTERS,
  MAX_RETRY_DELAY_MS,
  MAX_WARNINGS,
} from "#libs/tasks/limits.js";
import { isErrorCode, OUTCOME_CODES } from "#libs/tasks/outcome-code.js";
import { jsonText } from "#libs/define-task/json-text.js";
import { HANDLER_ERROR, THROWN_KIND } from "#libs/define-task/task-errors.js";

/** Outcomes that only Taskwire may claim; a handler that uses one of these codes gets `HANDLER_ERROR` instead. */
export const RESERVED_CODES: ReadonlySet<string> = new Set(OUTCOME_CODES);

/** Why an attempt failed, or a warning, ready to be sent: within every bound. */
export interface FailureFacts {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
  /** An object as JSON text; empty: none. */
  readonly detailsJson: string;
}

/** What a handler meant by what it threw. */
export type ThrownOutcome =
  | { readonly kind: "failed"; readonly error: FailureFacts; readonly retryAfterMs: number | undefined }
  | { readonly kind: "retry-later"; readonly delayMs: number; readonly reason: string }
  | { readonly kind: "partial"; readonly result: unknown; readonly warnings: readonly FailureFacts[] };

const MAX_STACK_CHARACTERS = 4096;
/** Fits whatever the stack is made of. */
const SHORT_STACK_CHARACTERS = 1200;

/** Reads what a handler threw. Never throws itself, whatever was thrown. */
export function thrownOutcome(thrown: unknown): ThrownOutcome {
  const facts = typeof thrown === "object" && thrown !== null ? thrown : {};
  switch (field(facts, THROWN_KIND)) {
    case "retry-later":
      return { kind: "retry-later", delayMs: delayOf(field(facts, "delayMs")) ?? 0, reason: message(thrown) };
    case "partial":
      return { kind: "partial", result: field(facts, "result"), warnings: warningsOf(field(facts, "warnings")) };
    case "permanent":
      return { kind: "failed", error: failure(thrown, facts, false), retryAfterMs: undefined };
    default:
      return {
        kind: "failed",
        error: failure(thrown, facts, true),
        retryAfterMs: delayOf(field(facts, "retryAfterMs")),
      };
  }
}

/** Facts as JSON text within the bound of error details; empty when there are none or they cannot be written. */
export function detailsText(details: object): string {
  let text: string | undefined;
  try {
    text = jsonText(details);
  } catch {
    return "";
  }
  return text === undefined || text === "{}" || Buffer.byteLength(text) > MAX_ERROR_DETAILS_BYTES ? "" : text;
}

/** Stands for details that are too large. */
const OMITTED = { omitted: "too large" };

function failure(thrown: unknown, facts: object, retryable: boolean): FailureFacts {
  const code =
    field(facts, THROWN_KIND) === undefined ? HANDLER_ERROR : usableCode(field(facts, "code"), HANDLER_ERROR);
  const own = field(facts, "details");
  const stack = field(facts, "stack");
  const trace = (maxCharacters: number) => (typeof stack === "string" ? { stack: cutText(stack, maxCharacters) } : {});
  const ownDetails = typeof own === "object" && own !== null && !Array.isArray(own) ? own : {};
  const whole = detailsText({ ...ownDetails, ...trace(MAX_STACK_CHARACTERS) });
  const short = trace(SHORT_STACK_CHARACTERS);
  return {
    code,
    message: message(thrown),
    retryable,
    detailsJson:
      whole ||
      detailsText({ ...ownDetails, ...short }) ||
      detailsText(ownDetails) ||
      detailsText({ ...(Object.keys(ownDetails).length === 0 ? {} : OMITTED), ...short }),
  };
}

function warningsOf(value: unknown): FailureFacts[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, MAX_WARNINGS).map((warning: unknown) => {
    const facts = typeof warning === "object" && warning !== null ? warning : {};
    const details = field(facts, "details");
    return {
      code: usableCode(field(facts, "code"), "WARNING"),
      message: message(field(facts, "message") ?? warning),
      retryable: false,
      detailsJson:
        typeof details === "object" && details !== null && !Array.isArray(details) && Object.keys(details).length > 0
          ? detailsText(details) || detailsText(OMITTED)
          : "",
    };
  });
}

function usableCode(code: unknown, otherwise: string): string {
  return typeof code === "string" && isErrorCode(code) && !RESERVED_CODES.has(code) ? code : otherwise;
}

function delayOf(value: unknown): number | undefined {
  if (typeof value !== "number" || Number.isNaN(value)) return undefined;
  return Math.round(Math.min(Math.max(value, 0), MAX_RETRY_DELAY_MS));
}

function message(thrown: unknown): string {
  try {
    return cutText(errorMessage(thrown), MAX_MESSAGE_CHARACTERS);
  } catch {
    return "the handler threw something that cannot be shown";
  }
}

function field(facts: object, name: PropertyKey): unknown {
  try {
    return Reflect.get(facts, name);
  } catch {
    return undefined;
  }
}
