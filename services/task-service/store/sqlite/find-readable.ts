import { sqliteTrouble } from "#task-service/store/sqlite/sqlite-trouble.js";
import type { CachedTask } from "#task-service/store/sqlite/task-cache.js";
import type { Transaction } from "#task-service/store/sqlite/transaction.js";

/** Finds a task for a command about many: one that lies on a damaged page of the database must not hold up the others. */
export function findReadable(transaction: Transaction, id: string): CachedTask | "unreadable" | undefined {
  try {
    return transaction.find(id);
  } catch (error) {
    if (sqliteTrouble(error) === "DATABASE_CORRUPT") return "unreadable";
    throw error;
  }
}
