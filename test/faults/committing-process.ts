import { createHash } from "node:crypto";
import { retryUntilDone } from "#libs/async/retry.js";
import { errorMessage } from "#libs/errors/error-message.js";
import { SqliteStore } from "#task-service/store/sqlite/sqlite-store.js";
import type { WriteCommand } from "#task-service/store/write-command.js";
import { progress, reportBatch, sampleTask, started, succeeded } from "#test/conformance/task-store/sample-task.js";

/** An event that a store announced: revision, sequence, and a hash of what it says. */
export type AnnouncedEvent = readonly [revision: number, taskId: string, sequence: number, hash: string];

/** What {@link main} tells its parent. */
export interface CommitNews {
  /** Tasks whose create was acknowledged. */
  readonly accepted?: readonly string[];
  /** Tasks whose last reports were acknowledged. */
  readonly completed?: readonly string[];
  readonly events?: readonly AnnouncedEvent[];
  /** Why a write was refused. */
  readonly refused?: string;
}

const LANES = 4;
/** Large enough that the write-ahead log is moved into the database several times a run. */
const PAYLOAD_CHARACTERS = 100_000;
const RETRY_WAIT_MS = 10;

/** Names an event by what it says. */
export function eventHash(body: Uint8Array): string {
  return createHash("sha256").update(body).digest("hex").slice(0, 16);
}

/** Creates tasks and finishes them as fast as it can, telling the parent what was acknowledged and announced, until it is killed. Refused writes are tried again. */
async function main(address: string): Promise<void> {
  const store = new SqliteStore({ path: address, queueCapacity: 1_000_000 });
  const { signal } = new AbortController();
  const tell = (news: CommitNews) => process.send?.(news);
  store.onCommit(({ events }) => {
    tell({
      events: events.map(({ revision, taskId, sequence, body }) => [revision, taskId, sequence, eventHash(body)]),
    });
  });
  await store.start();
  const payloadJson = JSON.stringify({ text: "x".repeat(PAYLOAD_CHARACTERS) });
  const onError = (error: unknown) => {
    tell({ refused: error instanceof Error ? errorMessage(error.cause) : errorMessage(error) });
  };
  const write = (command: WriteCommand) =>
    retryUntilDone(() => store.write(command), { signal, waitMs: RETRY_WAIT_MS, onError });
  const lane = async () => {
    for (;;) {
      const tasks = [sampleTask({ payloadJson }), sampleTask()];
      const ids = tasks.map(({ id }) => id);
      await write({ kind: "create", tasks });
      tell({ accepted: ids });
      await write({ kind: "applyReports", batches: ids.map((id) => reportBatch(id, [started, progress(1)])) });
      const batches = ids.map((id) => reportBatch(id, [succeeded('"done"')], { firstNumber: 3 }));
      await write({ kind: "applyReports", batches });
      tell({ completed: ids });
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

if (process.argv[1]?.endsWith("committing-process.js") === true) await main(process.argv[2] ?? "");
