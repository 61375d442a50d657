import { join, resolve } from "node:path";

/** Where artifacts go unless the payload says otherwise, relative to the worker's directory. */
export const ARTIFACT_DIRECTORY = join(".taskwire", "artifacts");

/** The file beside it that holds the same report as HTML: `report.html` for `report.md`. */
export function htmlPath(path: string): string {
  return `${path.replace(/\.(md|markdown)$/i, "")}.html`;
}

/** The absolute path of a task's artifact. The same for every attempt, so that a retry replaces what it finds. */
export function artifactPath(taskId: string, outputPath: string | undefined): string {
  return resolve(outputPath ?? join(ARTIFACT_DIRECTORY, `${taskId}.md`));
}
