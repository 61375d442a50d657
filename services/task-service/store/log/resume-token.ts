/** Where a watch of many tasks stands. */
export interface LogCursor {
  /** Everything up to here has been delivered. */
  readonly revision: number;
  /** Within a snapshot: tasks up to this id have been delivered; null: the snapshot is complete, or there was none. */
  readonly snapshotId: string | null;
}

const TOKEN = /^(\d{1,16})\.([\w-]{16})(?:\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}))?$/;

/** The token that stands for a cursor of a filter, which is given by its fingerprint. */
export function makeResumeToken(fingerprint: string, { revision, snapshotId }: LogCursor): string {
  return `${revision}.${fingerprint}${snapshotId === null ? "" : `.${snapshotId}`}`;
}

/** Reads a token; undefined: it is malformed, or belongs to another filter. */
export function readResumeToken(token: string, fingerprint: string): LogCursor | undefined {
  const [, revision = "", owner, snapshotId = null] = TOKEN.exec(token) ?? [];
  return owner === fingerprint && Number.isSafeInteger(Number(revision))
    ? { revision: Number(revision), snapshotId }
    : undefined;
}
