import { BinaryWriter } from "@bufbuild/protobuf/wire";

/** Field `events` (2) of `taskwire.v1.WatchTaskResponse`, length-delimited. */
const EVENTS_TAG = (2 << 3) | 2;

/** A `taskwire.v1.WatchTaskResponse` that holds these encoded `taskwire.v1.TaskEvent`s, built without decoding them. */
export function eventFrame(bodies: readonly Uint8Array[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const body of bodies) writer.uint32(EVENTS_TAG).bytes(body);
  return writer.finish();
}
