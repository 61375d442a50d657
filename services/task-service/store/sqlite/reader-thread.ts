import { parentPort, workerData } from "node:worker_threads";
import { errorMessage } from "#libs/errors/error-message.js";
import type { ReadQuery } from "#task-service/store/read-query.js";
import { SqliteReader } from "#task-service/store/sqlite/sqlite-reader.js";

/** What a reader's thread is sent; `close` ends it. */
export type ReaderRequest =
  { readonly kind: "queries"; readonly queries: readonly ReadQuery[] } | { readonly kind: "close" };

/** Its answers, in the order of the queries. */
export type ReaderResponse = readonly (
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly message: string }
)[];

function main(path: string): void {
  if (parentPort === null) throw new Error("the reader runs in a thread of its own");
  const port = parentPort;
  const reader = new SqliteReader(path);
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
        return { ok: false, message: errorMessage(error) };
      }
    });
    port.postMessage(response);
  });
}

main((workerData as { path: string }).path);
