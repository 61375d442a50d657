import { realpath } from "node:fs/promises";
import { basename, join } from "node:path";
import { PermanentError } from "#libs/define-task/define-task.js";
import { loadText } from "#worker/handlers/document/load-text.js";
import type { HandlerSettings } from "#worker/handlers/handler-settings.js";
import { listFiles } from "#worker/handlers/research-run/list-files.js";
import { sourceDocument, type SourceDocument } from "#worker/handlers/research-run/source-document.js";

/** What was found in a folder. */
export interface FolderContent {
  readonly documents: readonly SourceDocument[];
  /** Files that text cannot be taken from. */
  readonly skipped: number;
  /** Whether a bound left files out. */
  readonly isCut: boolean;
}

/** What is read of a folder at most. */
export interface ReadBounds {
  readonly maxFiles: number;
  /** Files, folders and anything else that is looked at. */
  readonly maxEntries: number;
  /** Folders below the first one. */
  readonly maxDepth: number;
  /** Characters of text taken from all files together. */
  readonly maxCharacters: number;
}

/** The bounds of a research folder. */
export const READ_BOUNDS: ReadBounds = {
  maxFiles: 1000,
  maxEntries: 20_000,
  maxDepth: 12,
  maxCharacters: 16 * 1024 * 1024,
};

const MEBIBYTE = 1024 * 1024;
/** What a single file may be like, where the settings do not allow less; other files are skipped. The process needs room for the index. */
const FILE_BOUNDS = { documentBytes: 8 * MEBIBYTE, documentDocxBytes: 3 * MEBIBYTE, documentCharacters: 2 * MEBIBYTE };

/**
 * Reads the documents below a folder (absolute and free of links), one after the other, as `document.extract` does. A file that text cannot
 * be taken from, or that turns out to be reached by a link, is skipped; a passing failure rejects, so that no report goes out without a
 * document that is there. Rejects with the signal's reason, which is looked at before and within each file.
 */
export async function readFolder(
  folder: string,
  settings: HandlerSettings,
  signal: AbortSignal,
  bounds: ReadBounds = READ_BOUNDS,
): Promise<FolderContent> {
  const { paths, isCut } = await listFiles(folder, bounds, signal);
  const limits = { ...settings };
  for (const name of ["documentBytes", "documentDocxBytes", "documentCharacters"] as const)
    limits[name] = Math.min(settings[name], FILE_BOUNDS[name]);
  const documents: SourceDocument[] = [];
  let skipped = 0;
  let left = bounds.maxCharacters;
  for (const path of paths) {
    signal.throwIfAborted();
    const loaded = await load(join(folder, path), limits, signal);
    if (loaded === undefined) {
      skipped += 1;
      continue;
    }
    left -= loaded.text.length;
    if (left < 0) return { documents, skipped, isCut: true };
    const format = loaded.format === "markdown" ? ("markdown" as const) : ("plain" as const);
    documents.push(
      sourceDocument({ path }, { text: loaded.text, format, title: loaded.title, fileName: basename(path) }),
    );
  }
  return { documents, skipped, isCut };
}

async function load(
  file: string,
  settings: HandlerSettings,
  signal: AbortSignal,
): Promise<Awaited<ReturnType<typeof loadText>> | undefined> {
  try {
    const document = await loadText({ path: file }, { signal, settings });
    // Who can write to the folder may have put a link in the way since it was listed.
    return (await realpath(file)) === file ? document : undefined;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof PermanentError) return undefined;
    throw error;
  }
}
