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

/**
 * Writes a file whole or not at all: a temporary file in the same directory, fsync, rename, fsync of the directory. Missing directories are
 * created; an existing file is replaced; on failure and on abort nothing is left behind.
 *
 * Throws PermanentError `OUTPUT_IS_DIRECTORY`, `FILE_SYSTEM_ERROR` (retryable for ENOSPC, EIO and the like), or the signal's reason.
 */
export async function writeArtifact(
  path: string,
  content: string | Uint8Array,
  writer: ArtifactWriter,
): Promise<WrittenArtifact> {
  try {
    await refuseDirectory(path);
    await mkdir(dirname(path), { recursive: true });
    await removeLeftovers(path, writer);
    return await writeWhole(path, Buffer.from(content), writer);
  } catch (error) {
    throw fileSystemError(error, "write", path);
  }
}

/** Fails early when the artifact's path is a directory. Throws as {@link writeArtifact} does. */
export async function refuseDirectory(path: string): Promise<void> {
  const found = await stat(path).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw fileSystemError(error, "write", path);
  });
  if (found?.isDirectory() === true) {
    throw new PermanentError("OUTPUT_IS_DIRECTORY", `${path} is a directory; name a file`, { details: { path } });
  }
}

async function writeWhole(path: string, bytes: Buffer, writer: ArtifactWriter): Promise<WrittenArtifact> {
  const temporary = temporaryPath(path, writer.taskId, writer.attempt);
  let renamed = false;
  try {
    const file = await open(temporary, "w", 0o644);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    writer.signal.throwIfAborted();
    await rename(temporary, path);
    renamed = true;
    await syncDirectory(dirname(path));
  } finally {
    if (!renamed) await rm(temporary, { force: true });
  }
  return { path, sha256: createHash("sha256").update(bytes).digest("hex"), bytes: bytes.length };
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
