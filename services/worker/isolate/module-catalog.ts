import type { Isolation, TaskDefinition } from "#libs/define-task/define-task.js";
import { loadTasks } from "#worker/isolate/load-tasks.js";
import type { PooledIsolate } from "#worker/isolate/isolate-pool.js";
import type { DescribedTask } from "#worker/isolate/protocol.js";

/** The task types of a worker. */
export interface ModuleCatalog {
  /** By type. */
  readonly tasks: ReadonlyMap<string, DescribedTask>;
  /** The code of the inline types, by type. */
  readonly inline: ReadonlyMap<string, TaskDefinition>;
}

/**
 * Finds out what task modules define. A throw-away isolate imports them, so that their code runs in the worker itself only where a
 * module declares an inline type. Rejects with FAILED_PRECONDITION when a module is broken, empty, or defines a type again.
 */
export async function readCatalog(
  modules: readonly string[],
  createIsolate: () => PooledIsolate,
): Promise<ModuleCatalog> {
  if (modules.length === 0) return { tasks: new Map(), inline: new Map() };
  const isolate = createIsolate();
  const described = await isolate.ready().finally(() => void isolate.close());
  const inlineModules = new Set(described.filter((task) => task.isolation === "inline").map((task) => task.module));
  const loaded = await loadTasks([...inlineModules]);
  const inline = new Map<string, TaskDefinition>();
  for (const { definition } of loaded.values()) {
    if (definition.options.isolation === "inline") inline.set(definition.type, definition);
  }
  return { tasks: new Map(described.map((task) => [task.type, task])), inline };
}

/** Whether any type runs in this kind of isolate. */
export function usesIsolation(catalog: ModuleCatalog, isolation: Isolation): boolean {
  return [...catalog.tasks.values()].some((task) => task.isolation === isolation);
}
