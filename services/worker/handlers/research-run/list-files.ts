import { opendir } from "node:fs/promises";
import { extname, join } from "node:path";
import type { Dirent } from "node:fs";
import { fileSystemError } from "#worker/handlers/file-system-error.js";

/** What a listing may hold. */
export interface ListLimits {
  readonly maxFiles: number;
  /** Files, folders and anything else that is looked at. */
  readonly maxEntries: number;
  /** Folders below the first one. */
  readonly maxDepth: number;
}

/** The documents below a folder. */
export interface FileList {
  /** Relative to the folder, `/` between the parts, in the order of their code units. */
  readonly paths: readonly string[];
  /** Whether a limit left some out. */
  readonly isCut: boolean;
}

/** Longer paths, relative to the folder, are passed over. */
const MAX_PATH_CHARACTERS = 1000;
/** Documents that text may be taken from; everything else is passed over. */
const EXTENSIONS = new Set(".md .markdown .mdown .mkd .txt .text .rst .adoc .pdf .docx .hwp .hwpx".split(" "));

/**
 * Lists the documents below a folder, folder by folder. Links are not followed, and names that begin with a dot, and
 * `node_modules`, are passed over. The same files give the same list. Rejects with the signal's reason, or as `fileSystemError` says.
 */
export async function listFiles(folder: string, limits: ListLimits, signal: AbortSignal): Promise<FileList> {
  const paths: string[] = [];
  let entries = 0;
  let isCut = false;
  let level = [""];
  for (let depth = 0; level.length > 0; depth += 1) {
    const below: string[] = [];
    for (const directory of level) {
      const found = await sortedEntries(join(folder, directory), limits.maxEntries - entries, signal);
      entries += found.seen;
      for (const entry of found.entries) {
        const path = directory === "" ? entry.name : `${directory}/${entry.name}`;
        if (entry.isDirectory()) below.push(path);
        else if (
          entry.isFile() &&
          path.length <= MAX_PATH_CHARACTERS &&
          EXTENSIONS.has(extname(entry.name).toLowerCase())
        )
          paths.push(path);
      }
      if (entries >= limits.maxEntries) return cut(paths, limits.maxFiles, true);
    }
    if (depth === limits.maxDepth && below.length > 0) {
      isCut = true;
      break;
    }
    level = below;
  }
  return cut(paths, limits.maxFiles, isCut);
}

function cut(paths: readonly string[], maxFiles: number, isCut: boolean): FileList {
  return { paths: paths.slice(0, maxFiles).sort(byCodeUnit), isCut: isCut || paths.length > maxFiles };
}

/** What of the first `limit` entries of a directory is not passed over. Which ones come first is up to the file system; the order here is not. */
async function sortedEntries(
  path: string,
  limit: number,
  signal: AbortSignal,
): Promise<{ readonly entries: readonly Dirent[]; readonly seen: number }> {
  const entries: Dirent[] = [];
  let seen = 0;
  try {
    for await (const entry of await opendir(path)) {
      signal.throwIfAborted();
      if (seen >= limit) break;
      seen += 1;
      if (!entry.name.startsWith(".") && entry.name !== "node_modules") entries.push(entry);
    }
  } catch (error) {
    throw fileSystemError(error, "read", path);
  }
  return { entries: entries.sort((a, b) => byCodeUnit(a.name, b.name)), seen };
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
