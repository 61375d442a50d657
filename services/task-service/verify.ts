import { KeyRing, type RingKeys } from "#libs/sealing/key-ring.js";
import { VerificationReader } from "#task-service/store/sqlite/verification-reader.js";
import type { Finding } from "#task-service/verify/finding.js";
import { Unsealer } from "#task-service/verify/unsealer.js";
import { verifyStore, type VerifyTotals } from "#task-service/verify/verify-store.js";

export type { Finding } from "#task-service/verify/finding.js";
export type { VerifyTotals } from "#task-service/verify/verify-store.js";

/** How a database is verified. */
export interface VerifyDatabaseOptions {
  /** Whether the file's own check leaves out what takes long: whether indexes and tables agree. */
  readonly isQuick: boolean;
  /** Open what is sealed. What none of them fits is counted and left out. */
  readonly keys: RingKeys;
  /** Told of each finding as it is made. */
  readonly onFinding: (finding: Finding) => void;
}

/**
 * Verifies a SQLite database, also while a task-service uses it. Throws when the file is not there or cannot be read as a database of
 * this version.
 */
export function verifyDatabase(path: string, { isQuick, keys, onFinding }: VerifyDatabaseOptions): VerifyTotals {
  const source = new VerificationReader(path);
  try {
    return verifyStore(source, { isQuick, unsealer: new Unsealer(new KeyRing(keys)), onFinding });
  } finally {
    source.close();
  }
}
