import { realpath } from "node:fs/promises";
import { join } from "node:path";
import { PermanentError } from "#libs/define-task/define-task.js";
import { listFiles } from "#worker/handlers/research-run/list-files.js";
import { sourceDocument, type SourceDocument } from "#worker/handlers/research-run/source-document.js";
import { readDocument, type LoadedDocument } from "#worker/handlers/text-digest/read-document.js";

/** What was found in a folder. */
export interface FolderContent {
  readonly documents: readonly SourceDocument[];
  /** Files that could not be read for good or are no text. */
  readonly skipped: number;
  /** Whether a bound of {@link READ_BOUNDS} left files out. */
  readonly isCut: boolean;
}

/** What is read of a folder at most; a single file has at most 2 MiB. */
export interface ReadBounds {
  readonly maxFiles: number;
  readonly maxEntries: number;
  readonly maxDepth: number;
  /** Of all files together. */
  readonly maxTotalBytes: number;
}

/** The bounds of a research folder. */
export const READ_BOUNDS: ReadBounds = {
  maxFiles: 1000,
  maxEntries: 20_000,
  maxDepth: 12,
  maxTotalBytes: 16 * 1024 * 1024,
};

/**
 * Reads the Markdown and text files below a folder (absolute and free of links), one after the other. A file that turns out to be reached by a
 * link is skipped; a passing failure rejects, so that no report goes out without a document that is there. Rejects with the signal's
 * reason, which is looked at before each file.
 */
export async function readFolder(
  folder: string,
  signal: AbortSignal,
  bounds: ReadBounds = READ_BOUNDS,
): Promise<FolderContent> {
  const { paths, isCut } = await listFiles(folder, bounds, signal);
  const documents: SourceDocument[] = [];
  let skipped = 0;
  let left = bounds.maxTotalBytes;
  for (const path of paths) {
    signal.throwIfAborted();
    const loaded = await load(folder, path);
    if (loaded === undefined) {
      skipped += 1;
      continue;
    }
    left -= Buffer.byteLength(loaded.text);
    if (left < 0) return { documents, skipped, isCut: true };
    documents.push(sourceDocument({ path }, loaded));
  }
  return { documents, skipped, isCut };
}

async function load(folder: string, path: string): Promise<LoadedDocument | undefined> {
  const file = join(folder, path);
  try {
    const document = await readDocument({ path: file });
    // Who can write to the folder may have put a link in the way since it was listed.
    return (await realpath(file)) === file ? document : undefined;
  } catch (error) {
    if (error instanceof PermanentError) return undefined;
    throw error;
  }
}
