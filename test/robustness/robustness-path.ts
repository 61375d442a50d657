import { fileURLToPath } from "node:url";

/** Absolute path of a built module of this folder, for example `robustness-tasks.js`. */
export function robustnessPath(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}
