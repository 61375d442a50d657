import { realpath, stat } from "node:fs/promises";
import { isAbsolute, relative, resolve } from "node:path";
import { PermanentError } from "#libs/define-task/define-task.js";
import { fileSystemError } from "#worker/handlers/file-system-error.js";

/**
 * The folder of a research, absolute and free of links; undefined when neither payload nor setting names one. Where the setting is given, a
 * relative folder begins there, and links are followed before it is checked that the folder lies within.
 *
 * Throws PermanentError `FOLDER_REFUSED` (outside of the allowed folder), `FILE_NOT_FOUND`, `NOT_A_FOLDER` or `FILE_SYSTEM_ERROR`; the last
 * one as RetryableError where trying again may help.
 */
export async function researchFolder(asked: string | undefined, allowed: string): Promise<string | undefined> {
  if (allowed === "") return asked === undefined ? undefined : realFolder(resolve(asked));
  const root = await realFolder(resolve(allowed));
  if (asked === undefined) return root;
  const wanted = resolve(root, asked);
  // Asked for what is outside, it does not tell whether that exists.
  if (!isWithin(root, wanted)) throw refused();
  const folder = await realFolder(wanted);
  if (!isWithin(root, folder)) throw refused();
  return folder;
}

/** Whether a path is a folder or lies below it; both absolute. */
function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === "" || (!isAbsolute(way) && way !== ".." && !/^\.\.[/\\]/.test(way));
}

async function realFolder(path: string): Promise<string> {
  try {
    const real = await realpath(path);
    if ((await stat(real)).isDirectory()) return real;
  } catch (error) {
    throw fileSystemError(error, "read", path);
  }
  throw new PermanentError("NOT_A_FOLDER", `${path} is not a folder`, { details: { path } });
}

function refused(): PermanentError {
  return new PermanentError(
    "FOLDER_REFUSED",
    "the folder lies outside of the one that TASKWIRE_RESEARCH_FOLDER allows",
  );
}
