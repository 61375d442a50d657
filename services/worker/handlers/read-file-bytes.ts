import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { PermanentError } from "#libs/define-task/define-task.js";
import { fileSystemError } from "#worker/handlers/file-system-error.js";

const PIECE_BYTES = 1024 * 1024;

/**
 * Reads a regular file of at most `maxBytes` bytes.
 *
 * Throws PermanentError `FILE_NOT_FOUND`, `NOT_A_FILE`, `FILE_TOO_LARGE` or `FILE_SYSTEM_ERROR` (the last one as RetryableError where
 * trying again may help), or the signal's reason.
 */
export async function readFileBytes(
  path: string,
  { maxBytes, signal }: { readonly maxBytes: number; readonly signal?: AbortSignal | undefined },
): Promise<Buffer> {
  let file: FileHandle | undefined;
  try {
    // Without O_NONBLOCK, opening a named pipe would wait for its writer.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await file.stat();
    if (!stats.isFile()) throw new PermanentError("NOT_A_FILE", `${path} is not a regular file`, { details: { path } });
    if (stats.size > maxBytes) throw tooLarge(path, stats.size, maxBytes);
    const pieces: Buffer[] = [];
    let length = 0;
    for (;;) {
      signal?.throwIfAborted();
      const piece = Buffer.alloc(Math.min(PIECE_BYTES, maxBytes + 1 - length));
      const { bytesRead } = await file.read(piece, 0, piece.length);
      if (bytesRead === 0) return Buffer.concat(pieces, length);
      pieces.push(piece.subarray(0, bytesRead));
      length += bytesRead;
      if (length > maxBytes) throw tooLarge(path, length, maxBytes);
    }
  } catch (error) {
    throw fileSystemError(error, "read", path);
  } finally {
    await file?.close();
  }
}

function tooLarge(path: string, bytes: number, maxBytes: number): PermanentError {
  return new PermanentError("FILE_TOO_LARGE", `${path} has ${bytes} bytes or more; at most ${maxBytes} are read`, {
    details: { path, maxBytes },
  });
}
