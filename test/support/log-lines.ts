import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const LINE = z.looseObject({ level: z.string(), msg: z.string().optional() });

/** A line that a service has logged. */
export type LogLine = z.infer<typeof LINE>;

/** What a process of a test stack has logged so far; `name` is `task-service`, `worker-1`, … */
export function logLines(dataDir: string, name: string): LogLine[] {
  const text = readFileSync(join(dataDir, "logs", `${name}.log`), "utf8");
  return text.split("\n").flatMap((line) => {
    if (!line.startsWith("{")) return [];
    const read = LINE.safeParse(JSON.parse(line));
    return read.success ? [read.data] : [];
  });
}
