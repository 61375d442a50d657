import { BinaryWriter } from "@bufbuild/protobuf/wire";

/** Fields of `taskwire.v1.WatchTasksResponse`, length-delimited. */
const RESUME_TOKEN = (1 << 3) | 2;
const LAGGED = (2 << 3) | 2;
const SYNCED = (5 << 3) | 2;
const BOOKMARK = (6 << 3) | 2;
/** Field `revisions` of `Lagged`, packed, and field `revision` of `Synced` and `Bookmark`. */
const REVISIONS = (1 << 3) | 2;
const REVISION = (1 << 3) | 0;

/** What a frame is made of. */
export interface LogFrameParts {
  readonly token: string;
  readonly conflated?: readonly number[];
  /** Encoded fields `changes` or `snapshot`. */
  readonly fields?: Uint8Array;
  /** The revision at which the snapshot is complete. */
  readonly synced?: number;
  readonly bookmark?: number;
}

/** An encoded `taskwire.v1.WatchTasksResponse`. */
export function logFrame({ token, conflated = [], fields, synced, bookmark }: LogFrameParts): Uint8Array {
  const writer = new BinaryWriter();
  writer.uint32(RESUME_TOKEN).string(token);
  if (conflated.length > 0) {
    writer.uint32(LAGGED).fork().uint32(REVISIONS).fork();
    for (const revision of conflated) writer.int64(revision);
    writer.join().join();
  }
  if (fields !== undefined) writer.raw(fields);
  if (synced !== undefined) writer.uint32(SYNCED).fork().uint32(REVISION).int64(synced).join();
  if (bookmark !== undefined) writer.uint32(BOOKMARK).fork().uint32(REVISION).int64(bookmark).join();
  return writer.finish();
}
