import type { Readable } from "node:stream";
import { crc32 } from "node:zlib";
import { type Entry, fromBufferPromise, type ZipFile } from "yauzl";
import { PermanentError } from "#libs/define-task/define-task.js";
import type { DocumentLimits } from "#worker/documents/document-settings.js";
import { invalidFile } from "#worker/documents/invalid-file.js";

/** Below this size a part may be packed as tightly as it likes. */
const RATIO_FROM_BYTES = 1024 * 1024;

/** What holds while an archive is read. */
export interface ArchiveOptions {
  readonly signal: AbortSignal;
  readonly limits: DocumentLimits;
  /** Most bytes that the wanted files unpack to together. */
  readonly maxBytes: number;
  /** Which files to unpack; the others are not looked into. */
  readonly wanted: (name: string) => boolean;
}

/**
 * Unpacks the wanted files of a zip archive, by name. What they unpack to is counted while it streams, whatever their headers say, so an
 * archive made to fill the memory is refused before it does.
 *
 * Throws `INVALID_FILE`: `archive_limit` (bytes, ratio, number of files), `encrypted`, `truncated` (no directory at its end) or `damaged`
 * (checksum, overlap, unknown packing); or the signal's reason.
 */
export async function readArchive(bytes: Buffer, options: ArchiveOptions): Promise<ReadonlyMap<string, Buffer>> {
  const { signal, limits, maxBytes } = options;
  const archive = await openArchive(bytes);
  try {
    if (archive.entryCount > limits.documentEntries) {
      throw archiveLimit(`the archive has ${archive.entryCount} files; at most ${limits.documentEntries} are allowed`);
    }
    const files = new Map<string, Buffer>();
    let left = maxBytes;
    for await (const entry of archive.eachEntry()) {
      signal.throwIfAborted();
      if (!options.wanted(entry.fileName)) continue;
      if (files.has(entry.fileName)) throw invalidFile("damaged", "the archive has two files of the same name");
      const content = await unpack(archive, entry, { left, ...options });
      left -= content.length;
      files.set(entry.fileName, content);
    }
    return files;
  } catch (error) {
    if (signal.aborted || error instanceof PermanentError) throw error;
    throw invalidFile("damaged", "the archive cannot be unpacked: it is damaged", { cause: error });
  } finally {
    archive.close();
  }
}

async function openArchive(bytes: Buffer): Promise<ZipFile> {
  try {
    return await fromBufferPromise(bytes);
  } catch (cause) {
    throw invalidFile("truncated", "the archive has no directory at its end: it is not complete", { cause });
  }
}

async function unpack(
  archive: ZipFile,
  entry: Entry,
  { left, limits, maxBytes, signal }: ArchiveOptions & { readonly left: number },
): Promise<Buffer> {
  if (entry.isEncrypted()) throw invalidFile("encrypted", "the archive is protected by a password");
  const most = Math.min(left, Math.max(RATIO_FROM_BYTES, entry.compressedSize * limits.documentUnpackRatio));
  const refuse = () =>
    archiveLimit(
      most === left
        ? `the document unpacks to more than ${maxBytes} bytes`
        : `a part of the document unpacks to more than ${limits.documentUnpackRatio} times its size`,
    );
  if (entry.uncompressedSize > most) throw refuse();
  const stream: Readable = await archive.openReadStreamPromise(entry);
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of stream) {
    if (!Buffer.isBuffer(piece)) throw new TypeError("a zip stream gave no bytes");
    signal.throwIfAborted();
    length += piece.length;
    if (length > most) throw refuse();
    pieces.push(piece);
  }
  const content = Buffer.concat(pieces, length);
  if (crc32(content) !== entry.crc32) throw invalidFile("damaged", "a part of the document has a wrong checksum");
  return content;
}

function archiveLimit(message: string): PermanentError {
  return invalidFile("archive_limit", message);
}
