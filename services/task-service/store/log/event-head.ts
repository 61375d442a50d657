import { BinaryReader } from "@bufbuild/protobuf/wire";

/** Classes of events, by their bit in a set; see `taskwire.v1.EventClass`. */
export const EventClass = { STATES: 1, PROGRESS: 2, LOGS: 4, OUTPUT: 8 } as const;

/** What an encoded event says of its task, without what happened. */
export interface EventHead {
  readonly timeMs: number;
  readonly state: number;
  readonly attempt: number;
  /** A bit of {@link EventClass}. */
  readonly eventClass: number;
}

/** Field numbers of `taskwire.v1.TaskEvent`. */
const TIME = 4;
const STATE = 5;
const ATTEMPT = 6;
const FIRST_KIND = 10;
const CLASS_OF_KIND: ReadonlyMap<number, number> = new Map([
  [12, EventClass.PROGRESS],
  [13, EventClass.LOGS],
  [14, EventClass.OUTPUT],
]);

/** Reads the beginning of an encoded `taskwire.v1.TaskEvent`, which is written in the order of its field numbers. */
export function eventHead(body: Uint8Array): EventHead {
  const reader = new BinaryReader(body);
  let timeMs = 0;
  let state = 0;
  let attempt = 0;
  let eventClass: number = EventClass.STATES;
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field >= FIRST_KIND) {
      eventClass = CLASS_OF_KIND.get(field) ?? EventClass.STATES;
      break;
    }
    if (field === TIME) timeMs = timestampMs(reader);
    else if (field === STATE) state = reader.int32();
    else if (field === ATTEMPT) attempt = reader.int32();
    else reader.skip(wireType);
  }
  return { timeMs, state, attempt, eventClass };
}

/** A length-delimited `google.protobuf.Timestamp`, in milliseconds since 1970. */
function timestampMs(reader: BinaryReader): number {
  const end = reader.uint32() + reader.pos;
  let seconds = 0;
  let nanos = 0;
  while (reader.pos < end) {
    const [field, wireType] = reader.tag();
    if (field === 1) seconds = Number(reader.int64());
    else if (field === 2) nanos = reader.int32();
    else reader.skip(wireType);
  }
  return seconds * 1000 + nanos / 1_000_000;
}
