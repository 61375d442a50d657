import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { WorkerProcess } from "#test/robustness/history.js";

const LINE = z.looseObject({ workerId: z.string(), pid: z.number().int() });

/** The processes that workers have logged lines from, for those that took tasks and were killed before they said that they were ready. */
export function loggedWorkers(dataDir: string, names: readonly string[]): WorkerProcess[] {
  const found = new Map<number, WorkerProcess>();
  for (const name of names)
    for (const line of readFileSync(join(dataDir, "logs", `${name}.log`), "utf8").split("\n")) {
      const read = LINE.safeParse(parsed(line));
      if (read.success) found.set(read.data.pid, { workerId: read.data.workerId, pid: read.data.pid });
    }
  return [...found.values()];
}

/** A line that a kill has cut short is no JSON. */
function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
