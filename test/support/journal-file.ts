import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** What the handlers of `trouble.journal` tasks have written: the code that truly ran. */
export class JournalFile {
  readonly path: string;

  /** `directory` exists; `name` is unique in it. */
  constructor(directory: string, name = "handlers") {
    this.path = join(directory, `${name}.journal`);
  }

  /** The attempt numbers of a task, one for each step its handler took. */
  steps(taskId: string): number[] {
    return [...(this.allSteps().get(taskId) ?? [])];
  }

  /** The same of all tasks, by their ids. */
  allSteps(): ReadonlyMap<string, readonly number[]> {
    const all = new Map<string, number[]>();
    for (const line of existsSync(this.path) ? readFileSync(this.path, "utf8").split("\n") : []) {
      const [id = "", attempt] = line.split(" ");
      if (attempt !== undefined) all.set(id, [...(all.get(id) ?? []), Number(attempt)]);
    }
    return all;
  }

  /** The attempts of a task whose handler took at least one step, in the order of their first. */
  attempts(taskId: string): number[] {
    return [...new Set(this.steps(taskId))];
  }
}
