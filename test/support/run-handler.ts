import { readSettings } from "#libs/config/settings.js";
import { checkValue, issueSentence } from "#libs/define-task/check-value.js";
import type { ProgressUpdate, TaskContext } from "#libs/define-task/task-context.js";
import { isTaskDefinition } from "#libs/define-task/define-task.js";
import { handlerSettingsSchema, setHandlerSettings } from "#worker/handlers/handler-settings.js";

/** One thing a handler said about its progress. */
export type SaidProgress = ProgressUpdate & { readonly fraction?: number };

/** What a handler did. */
export interface HandlerRun {
  readonly result: unknown;
  readonly progress: readonly SaidProgress[];
  readonly logs: readonly string[];
  readonly output: string;
  /** Each call of `task.output`, with its name. */
  readonly outputs: readonly { readonly text: string; readonly name: string }[];
}

/** How to run it; defaults: a fixed task id, attempt 1, a signal that never fires. */
export interface RunOptions {
  readonly taskId?: string;
  readonly attempt?: number;
  readonly signal?: AbortSignal;
  /** Settings of the worker, as environment variables; default: those of this process. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly onProgress?: (progress: SaidProgress) => void;
}

/** Runs a handler without servers, with payload and result checked as a worker checks them. */
export async function runHandler(definition: unknown, payload: unknown, options: RunOptions = {}): Promise<HandlerRun> {
  if (!isTaskDefinition(definition)) throw new TypeError("not a task definition");
  const progress: SaidProgress[] = [];
  const logs: string[] = [];
  const outputs: { readonly text: string; readonly name: string }[] = [];
  const log = (message: string) => void logs.push(message);
  const context: TaskContext = {
    payload: await checked("payload", definition.options.payload, payload),
    taskId: options.taskId ?? "0199aaaa-0000-7000-8000-000000000001",
    attempt: options.attempt ?? 1,
    maxAttempts: 3,
    signal: options.signal ?? new AbortController().signal,
    deadline: new Date(Date.now() + 60_000),
    progress(update, message) {
      const said =
        typeof update === "number" ? { fraction: update, ...(message === undefined ? {} : { message }) } : update;
      progress.push(said);
      options.onProgress?.(said);
    },
    log: { debug: log, info: log, warn: log, error: log },
    output(text, name = "output") {
      outputs.push({ text, name });
    },
  };
  const { settings } = options;
  if (settings !== undefined) setHandlerSettings(readSettings(handlerSettingsSchema, { env: settings }));
  try {
    const returned: unknown = await definition.handler(context);
    return {
      result: await checked("result", definition.options.result, returned),
      progress,
      logs,
      output: outputs.map(({ text }) => text).join(""),
      outputs,
    };
  } finally {
    setHandlerSettings(undefined);
  }
}

async function checked(
  what: string,
  schema: Parameters<typeof checkValue>[0] | undefined,
  value: unknown,
): Promise<unknown> {
  if (schema === undefined) return value;
  const answer = await checkValue(schema, value);
  if (!answer.ok) throw new TypeError(`${what} refused: ${issueSentence(answer.issues)}`);
  return answer.value;
}
