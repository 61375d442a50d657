import { createHash } from "node:crypto";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { PermanentError } from "#libs/define-task/define-task.js";
import { fileSystemError } from "#worker/handlers/file-system-error.js";

/** What was written. */
export interface WrittenArtifact {
  /** Absolute. */
  readonly path: string;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  readonly bytes: number;
}

/** Who writes; names the temporary file, so that a later attempt finds and removes what a killed one left. */
export interface ArtifactWriter {
  readonly taskId: string;
  /** From 1. */
  readonly attempt: number;
  readonly signal: AbortSignal;
}

/** Writes a text, or bytes, under a temporary name; it has its own when all files are there. */
export type WriteArtifact = (path: string, content: string | Uint8Array) => Promise<WrittenArtifact>;

/**
 * Writes the files that belong together and that `write` is called with, each whole or not at all: temporary files in the same directories,
 * fsync, then, once all are complete, renames, and fsync of the directories. Missing directories are created; existing files are replaced; on
 * failure and on abort nothing is left behind, and what was there before is untouched unless a rename fails after another has succeeded.
 *
 * Throws PermanentError `OUTPUT_IS_DIRECTORY`, `FILE_SYSTEM_ERROR` (retryable for ENOSPC, EIO and the like), or the signal's reason.
 */
export async function writeArtifacts<T>(
  writer: ArtifactWriter,
  write: (write: WriteArtifact) => Promise<T>,
): Promise<T> {
  const pairs: { readonly temporary: string; readonly path: string }[] = [];
  const created: string[] = [];
  try {
    const written = await write(async (path, content) => {
      const bytes = Buffer.from(content);
      pairs.push({ temporary: await writeTemporary(path, bytes, writer), path });
      return { path, sha256: createHash("sha256").update(bytes).digest("hex"), bytes: bytes.length };
    });
    writer.signal.throwIfAborted();
    for (const { temporary, path } of pairs) await renameTo(temporary, path, created);
    return written;
  } catch (error) {
    // What went wrong first is told, whatever goes wrong here.
    for (const path of [...pairs.map(({ temporary }) => temporary), ...created])
      await rm(path, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** {@link writeArtifacts} for a file that stands alone. */
export function writeArtifact(
  path: string,
  content: string | Uint8Array,
  writer: ArtifactWriter,
): Promise<WrittenArtifact> {
  return writeArtifacts(writer, (write) => write(path, content));
}

/** Fails early when the artifact's path is a directory. Throws as {@link writeArtifacts} does. */
export async function refuseDirectory(path: string): Promise<void> {
  const found = await stat(path).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw fileSystemError(error, "write", path);
  });
  if (found?.isDirectory() === true) {
    throw new PermanentError("OUTPUT_IS_DIRECTORY", `${path} is a directory; name a file`, { details: { path } });
  }
}

async function writeTemporary(path: string, bytes: Buffer, writer: ArtifactWriter): Promise<string> {
  const temporary = temporaryPath(path, writer.taskId, writer.attempt);
  writer.signal.throwIfAborted();
  try {
    await refuseDirectory(path);
    await mkdir(dirname(path), { recursive: true });
    await removeLeftovers(path, writer);
    const file = await open(temporary, "w", 0o644);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    return temporary;
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw fileSystemError(error, "write", path);
  }
}

/** Adds the path to `created` when nothing was there. */
async function renameTo(temporary: string, path: string, created: string[]): Promise<void> {
  try {
    const isNew = (await stat(path).catch(() => undefined)) === undefined;
    await rename(temporary, path);
    if (isNew) created.push(path);
    await syncDirectory(dirname(path));
  } catch (error) {
    throw fileSystemError(error, "write", path);
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function removeLeftovers(path: string, writer: ArtifactWriter): Promise<void> {
  for (let attempt = 1; attempt < writer.attempt; attempt += 1) {
    await rm(temporaryPath(path, writer.taskId, attempt), { force: true });
  }
}

function temporaryPath(path: string, taskId: string, attempt: number): string {
  return join(dirname(path), `.${basename(path)}.${taskId}.${attempt}.tmp`);
}
