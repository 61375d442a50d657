import { readSettings } from "#libs/config/settings.js";
import { isTaskDefinition } from "#libs/define-task/define-task.js";
import { TaskAborted } from "#libs/define-task/task-errors.js";
import type { ProgressUpdate } from "#libs/define-task/task-context.js";
import { startTask, type HeardLine } from "#libs/testing/run-task.js";
import { handlerSettingsSchema, setHandlerSettings } from "#worker/handlers/handler-settings.js";

/** What a handler did. */
export interface HandlerRun {
  readonly result: unknown;
  readonly progress: readonly ProgressUpdate[];
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
  readonly onProgress?: (progress: ProgressUpdate) => void;
  readonly onLog?: (line: HeardLine) => void;
}

/** Runs one attempt without servers and returns its result; rejects with what the handler threw, or a TypeError for what a schema refused. */
export async function runHandler(definition: unknown, payload: unknown, options: RunOptions = {}): Promise<HandlerRun> {
  if (!isTaskDefinition(definition)) throw new TypeError("not a task definition");
  if (typeof payload !== "object" || payload === null) throw new TypeError("payload refused: no object");
  const { signal, settings, ...rest } = options;
  if (settings !== undefined) setHandlerSettings(readSettings(handlerSettingsSchema, { env: settings }));
  const outputs: { readonly text: string; readonly name: string }[] = [];
  const run = startTask(definition, payload, { ...rest, onOutput: (text, name) => void outputs.push({ text, name }) });
  const onAbort = () => {
    run.cancel();
  };
  if (signal?.aborted === true) onAbort();
  else signal?.addEventListener("abort", onAbort);
  await run.attemptEnd();
  signal?.removeEventListener("abort", onAbort);
  setHandlerSettings(undefined);
  const [ended] = run.attempts;
  if (ended?.thrown !== undefined) throw ended.thrown instanceof TaskAborted ? signal?.reason : ended.thrown;
  if (run.state !== "COMPLETED") throw new TypeError(run.error?.message.replace(/^the (payload|result) was /, "$1 "));
  return {
    result: run.result,
    progress: run.progress,
    logs: run.logs.map(({ message }) => message),
    output: run.output(),
    outputs,
  };
}
