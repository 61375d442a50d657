import { checkValue, issueSentence } from "#libs/define-task/check-value.js";
import { jsonText } from "#libs/define-task/json-text.js";
import type { TaskDefinition } from "#libs/define-task/define-task.js";
import type { LogLine, ProgressUpdate, TaskContext } from "#libs/define-task/task-context.js";
import { TaskAborted, type AbortCause } from "#libs/define-task/task-errors.js";
import { detailsText, thrownOutcome, type FailureFacts } from "#libs/define-task/thrown-outcome.js";
import { cutText, errorMessage } from "#libs/errors/error-message.js";
import { jsonProblem } from "#libs/tasks/json-bounds.js";
import { MAX_JSON_BYTES, MAX_MESSAGE_CHARACTERS } from "#libs/tasks/limits.js";
import { HandlerSpeech, type SpeechSink } from "#libs/attempts/handler-speech.js";
import type { HandlerOutcome } from "#libs/attempts/isolate-outcome.js";
import type { RunOrder } from "#libs/attempts/run-order.js";

/** One call of a handler: checks the payload, calls, checks the result, names the outcome. The same in every kind of isolate. */
export class HandlerRun implements TaskContext {
  readonly #task: TaskDefinition;
  readonly #order: RunOrder;
  readonly #sink: SpeechSink;
  #payload: unknown;
  #speech: HandlerSpeech | undefined;
  #controller: AbortController | undefined;
  #abortReason: TaskAborted | undefined;
  #ended = false;

  constructor(task: TaskDefinition, order: RunOrder, sink: SpeechSink) {
    this.#task = task;
    this.#order = order;
    this.#sink = sink;
  }

  get payload(): unknown {
    return this.#payload;
  }

  get taskId(): string {
    return this.#order.taskId;
  }

  get attempt(): number {
    return this.#order.attempt;
  }

  get maxAttempts(): number {
    return this.#order.maxAttempts;
  }

  get deadline(): Date {
    return new Date(this.#order.deadlineMs);
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }

  get log(): { readonly debug: LogLine; readonly info: LogLine; readonly warn: LogLine; readonly error: LogLine } {
    return this.#voice().log;
  }

  progress(update: number | ProgressUpdate, message?: string): void {
    this.#voice().progress(update, message);
  }

  output(text: string, name?: string): void {
    this.#voice().output(text, name);
  }

  /** Fires the handler's signal; the first reason stays. */
  abort(cause: AbortCause, message: string): void {
    if (this.#abortReason !== undefined) return;
    this.#abortReason = new TaskAborted(cause, message);
    this.#controller?.abort(this.#abortReason);
  }

  /** Runs the handler to its end. Never rejects. */
  async outcome(): Promise<HandlerOutcome> {
    const { payload: payloadSchema, result: resultSchema } = this.#task.options;
    try {
      const payload = payloadOf(this.#order);
      const checked = payloadSchema === undefined ? undefined : await checkValue(payloadSchema, payload);
      if (checked?.ok === false) return rejected("PAYLOAD_REJECTED", "payload", checked.issues);
      this.#payload = checked === undefined ? payload : checked.value;
    } catch (error) {
      return refused("PAYLOAD_REJECTED", `the payload cannot be checked: ${errorMessage(error)}`);
    }
    let result: unknown;
    let warnings: readonly FailureFacts[] = [];
    try {
      result = await this.#task.handler(this);
    } catch (thrown) {
      const meant = thrownOutcome(thrown);
      if (meant.kind !== "partial") return this.#end(meant);
      result = meant.result;
      warnings = meant.warnings;
    }
    try {
      if (resultSchema !== undefined) {
        const checked = await checkValue(resultSchema, result);
        if (!checked.ok) return this.#end(rejected("RESULT_REJECTED", "result", checked.issues));
        result = checked.value;
      }
      const resultJson = result === undefined ? "null" : jsonText(result);
      if (resultJson === undefined) return this.#end(refused("RESULT_REJECTED", "the result is not JSON"));
      const problem = resultProblem(result, resultJson);
      if (problem !== undefined) return this.#end(refused("RESULT_REJECTED", `the result ${problem}`));
      return this.#end({ kind: "succeeded", resultJson, warnings });
    } catch (error) {
      return this.#end(refused("RESULT_REJECTED", `the result is not JSON: ${errorMessage(error)}`));
    }
  }

  #end(outcome: HandlerOutcome): HandlerOutcome {
    this.#ended = true;
    this.#speech?.end();
    return outcome;
  }

  #voice(): HandlerSpeech {
    if (this.#speech !== undefined) return this.#speech;
    this.#speech = new HandlerSpeech(this.#order.speech, this.#sink);
    if (this.#ended) this.#speech.end();
    return this.#speech;
  }
}

function payloadOf({ payloadJson }: RunOrder): unknown {
  try {
    return JSON.parse(payloadJson);
  } catch {
    // The engine's own words quote the text.
    throw new Error("it is no JSON");
  }
}

/** Measures what the text says, which differs from the value where `toJSON` has a say. */
function resultProblem(value: unknown, text: string): string | undefined {
  const isTree = typeof value === "object" && value !== null && text.length <= MAX_JSON_BYTES;
  return jsonProblem(isTree ? JSON.parse(text) : null, text);
}

function rejected(
  code: "PAYLOAD_REJECTED" | "RESULT_REJECTED",
  what: string,
  issues: readonly { path: string; message: string }[],
): HandlerOutcome {
  return refused(code, `the ${what} was refused: ${issueSentence(issues)}`, detailsText({ issues }));
}

function refused(code: "PAYLOAD_REJECTED" | "RESULT_REJECTED", message: string, detailsJson = ""): HandlerOutcome {
  return { kind: "refused", code, message: cutText(message, MAX_MESSAGE_CHARACTERS), detailsJson };
}
