import { parentPort, workerData } from "node:worker_threads";
import { errorMessage } from "#libs/errors/error-message.js";
import { KeyRing, type RingKeys } from "#libs/sealing/key-ring.js";
import type { ReadQuery } from "#task-service/store/read-query.js";
import { SqliteReader } from "#task-service/store/sqlite/sqlite-reader.js";
import { sqliteTrouble } from "#task-service/store/sqlite/sqlite-trouble.js";
import { toRefusal, type ThreadRefusal } from "#task-service/store/thread-refusal.js";

/** What a reader's thread is started with. */
export interface ReaderSetup {
  readonly path: string;
  readonly keys: RingKeys;
}

/** What a reader's thread is sent; `close` ends it. */
export type ReaderRequest =
  { readonly kind: "queries"; readonly queries: readonly ReadQuery[] } | { readonly kind: "close" };

/** Its answers, in the order of the queries. */
export type ReaderResponse = readonly (
  | { readonly ok: true; readonly value: unknown }
  | {
      readonly ok: false;
      readonly message: string;
      /** A damaged page is what stands in the way. */
      readonly isCorrupt: boolean;
      readonly refusal: ThreadRefusal | undefined;
    }
)[];

function main({ path, keys }: ReaderSetup): void {
  if (parentPort === null) throw new Error("the reader runs in a thread of its own");
  const port = parentPort;
  const reader = new SqliteReader(path, new KeyRing(keys));
  port.on("message", (request: ReaderRequest) => {
    if (request.kind === "close") {
      reader.close();
      port.close();
      return;
    }
    const response: ReaderResponse = request.queries.map((query) => {
      try {
        return { ok: true, value: reader.answer(query) };
      } catch (error) {
        const isCorrupt = sqliteTrouble(error) === "DATABASE_CORRUPT";
        return { ok: false, message: errorMessage(error), isCorrupt, refusal: toRefusal(error) };
      }
    });
    port.postMessage(response);
  });
}

main(workerData as ReaderSetup);
