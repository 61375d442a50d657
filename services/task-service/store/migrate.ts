import type { Compilable, Kysely } from "kysely";
import { addAttempts } from "#task-service/store/migrations/0002-add-attempts.js";
import { addUnwatchedCancel } from "#task-service/store/migrations/0003-add-unwatched-cancel.js";
import { addCompactedRevision } from "#task-service/store/migrations/0004-add-compacted-revision.js";
import { addWebhook } from "#task-service/store/migrations/0005-add-webhook.js";
import { createTasks } from "#task-service/store/migrations/0001-create-tasks.js";
import type { Database } from "#task-service/store/schema.js";

/** The migrations in order. Append only: what has run anywhere never changes. */
export const MIGRATIONS: readonly { readonly name: string; readonly up: (db: Kysely<Database>) => Compilable[] }[] = [
  { name: "0001-create-tasks", up: createTasks },
  { name: "0002-add-attempts", up: addAttempts },
  { name: "0003-add-unwatched-cancel", up: addUnwatchedCancel },
  { name: "0004-add-compacted-revision", up: addCompactedRevision },
  { name: "0005-add-webhook", up: addWebhook },
];

/**
 * Which migrations a database still needs. Throws when it has one this code does not know: it was written by newer code, and
 * running older code on it could destroy what it does not understand.
 */
export function pendingMigrations(applied: readonly string[]): typeof MIGRATIONS {
  const unknown = applied.filter((name) => !MIGRATIONS.some((migration) => migration.name === name));
  if (unknown.length > 0) {
    throw new Error(
      `the database was written by a newer Taskwire: it has ${unknown.join(", ")}, which this version does not know. ` +
        "Start the newer version, or point this one at another database.",
    );
  }
  return MIGRATIONS.filter((migration) => !applied.includes(migration.name));
}
