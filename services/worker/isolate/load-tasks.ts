import { pathToFileURL } from "node:url";
import { isTaskDefinition, type TaskDefinition } from "#libs/define-task/define-task.js";
import { errorMessage } from "#libs/errors/error-message.js";
import { TaskwireError } from "#libs/errors/taskwire-error.js";
import type { DescribedTask } from "#worker/isolate/protocol.js";

/** A task definition and the module it came from. */
export interface LoadedTask {
  readonly module: string;
  readonly definition: TaskDefinition;
}

/**
 * Imports task modules (absolute paths) and returns their definitions by type: every export that `defineTask` made, and those in
 * exported arrays. Fails with FAILED_PRECONDITION: `MODULE_BROKEN` when a module cannot be imported, `MODULE_EMPTY` when it defines
 * nothing, `TYPE_DEFINED_TWICE`.
 */
export async function loadTasks(modules: readonly string[]): Promise<ReadonlyMap<string, LoadedTask>> {
  const tasks = new Map<string, LoadedTask>();
  for (const module of modules) {
    const definitions = definitionsOf(await importModule(module));
    if (definitions.size === 0) {
      throw refusal("MODULE_EMPTY", `the task module ${module} exports nothing made by defineTask`);
    }
    for (const definition of definitions) {
      const other = tasks.get(definition.type);
      if (other !== undefined) {
        throw refusal(
          "TYPE_DEFINED_TWICE",
          `the type ${definition.type} is defined in ${other.module} and again in ${module}`,
        );
      }
      tasks.set(definition.type, { module, definition });
    }
  }
  return tasks;
}

/** A definition without its code. */
export function describeTask(task: LoadedTask): DescribedTask {
  const { isolation = "process", maxAttempts, initialDelayMs, maximumDelayMs, multiplier } = task.definition.options;
  const { totalTimeoutMs, retryableCodes, permanentCodes } = task.definition.options;
  const { softTimeoutMs, hardTimeoutMs, memoryBytes } = task.definition.options;
  const retry = { maxAttempts, initialDelayMs, maximumDelayMs, multiplier, totalTimeoutMs };
  const codes = { retryableCodes: retryableCodes?.slice(), permanentCodes: permanentCodes?.slice() };
  return {
    type: task.definition.type,
    module: task.module,
    isolation,
    ...retry,
    ...codes,
    softTimeoutMs,
    hardTimeoutMs,
    memoryBytes,
  };
}

async function importModule(path: string): Promise<object> {
  try {
    const module: unknown = await import(pathToFileURL(path).href);
    return typeof module === "object" && module !== null ? module : {};
  } catch (error) {
    const where =
      error instanceof Error && error.stack !== undefined ? error.stack.slice(0, 2000) : errorMessage(error);
    throw new TaskwireError({
      code: "FAILED_PRECONDITION",
      reason: "MODULE_BROKEN",
      message: `the task module ${path} cannot be loaded: ${where}`,
      cause: error,
    });
  }
}

function definitionsOf(module: object): Set<TaskDefinition> {
  const exported: unknown[] = Object.values(module);
  return new Set(
    exported.flatMap((value) => (Array.isArray(value) ? (value as unknown[]) : [value])).filter(isTaskDefinition),
  );
}

function refusal(reason: string, message: string): TaskwireError {
  return new TaskwireError({ code: "FAILED_PRECONDITION", reason, message });
}
