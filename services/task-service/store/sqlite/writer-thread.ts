import { parentPort, workerData } from "node:worker_threads";
import { openingFailure } from "#task-service/store/sqlite/opening-failure.js";
import { SqliteWriter, type SqliteOptions } from "#task-service/store/sqlite/sqlite-writer.js";
import {
  packReply,
  unpackGroup,
  type WriterRequest,
  type WriterResponse,
} from "#task-service/store/sqlite/writer-protocol.js";

/** The writer's thread: opens the database it is told of, says how that went, then answers groups until it is told to close. */
function main(options: SqliteOptions): void {
  if (parentPort === null) throw new Error("the writer runs in a thread of its own");
  const port = parentPort;
  const send = (response: WriterResponse, transfer: ArrayBuffer[] = []) => {
    port.postMessage(response, transfer);
  };
  let writer: SqliteWriter;
  try {
    writer = new SqliteWriter(options);
  } catch (error) {
    send({ kind: "failed", message: openingFailure(error, options.path) });
    return;
  }
  port.on("message", (request: WriterRequest) => {
    if (request.kind === "close") {
      writer.close();
      port.close();
      return;
    }
    const packed = packReply(writer.apply(unpackGroup(request.group)));
    send({ kind: "reply", reply: packed }, [packed.bodies]);
  });
  send({ kind: "ready", open: writer.openCounts });
}

main(workerData as SqliteOptions);
