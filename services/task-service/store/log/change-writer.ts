import { BinaryWriter } from "@bufbuild/protobuf/wire";
import type { TaskConstants } from "#task-service/store/log/log-selector.js";

/** Field numbers, as tags of length-delimited fields. */
const CHANGES_OF_RESPONSE = (3 << 3) | 2;
const EVENT_OF_CHANGE = (1 << 3) | 2;
const UNSELECTED_OF_CHANGE = (2 << 3) | 2;
const TYPE_OF_EVENT = (7 << 3) | 2;
const QUEUE_OF_EVENT = (8 << 3) | 2;
const REVISION_OF_UNSELECTED = (1 << 3) | 0;
const TASK_ID_OF_UNSELECTED = (2 << 3) | 2;
const SEQUENCE_OF_UNSELECTED = (3 << 3) | 0;
const STATE_OF_UNSELECTED = (4 << 3) | 0;

/** Where an event stands, and the state after it. */
export interface UnselectedAt {
  readonly revision: number;
  readonly sequence: number;
  readonly state: number;
}

/** Builds the field `changes` of `taskwire.v1.WatchTasksResponse` from events that are encoded already. */
export class ChangeWriter {
  readonly #writer = new BinaryWriter();
  #bytes = 0;
  /** The fields that tell the type and queue of the event before: most events have those of their neighbours. */
  #suffix = new Uint8Array();
  #suffixType = "";
  #suffixQueue = "";

  /** How many bytes there are, roughly. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Appends an encoded `taskwire.v1.TaskEvent`, with its task's type and queue: fields may come in any order. */
  event({ type, queue }: TaskConstants, body: Uint8Array): void {
    if (type !== this.#suffixType || queue !== this.#suffixQueue) {
      this.#suffix = new BinaryWriter()
        .uint32(TYPE_OF_EVENT)
        .string(type)
        .uint32(QUEUE_OF_EVENT)
        .string(queue)
        .finish();
      this.#suffixType = type;
      this.#suffixQueue = queue;
    }
    const length = body.length + this.#suffix.length;
    this.#begin(EVENT_OF_CHANGE, length);
    this.#writer.raw(body).raw(this.#suffix);
  }

  /** Appends that a task left the filter. */
  unselected(task: TaskConstants, { revision, sequence, state }: UnselectedAt): void {
    const inner = new BinaryWriter();
    inner.uint32(REVISION_OF_UNSELECTED).int64(revision).uint32(TASK_ID_OF_UNSELECTED).string(task.id);
    inner.uint32(SEQUENCE_OF_UNSELECTED).int64(sequence).uint32(STATE_OF_UNSELECTED).int32(state);
    const message = inner.finish();
    this.#begin(UNSELECTED_OF_CHANGE, message.length);
    this.#writer.raw(message);
  }

  /** What was appended since the last call. */
  finish(): Uint8Array {
    this.#bytes = 0;
    return this.#writer.finish();
  }

  /** Begins a change whose one field has so many bytes. All tags here are one byte long. */
  #begin(tag: number, length: number): void {
    this.#writer
      .uint32(CHANGES_OF_RESPONSE)
      .uint32(1 + varintLength(length) + length)
      .uint32(tag)
      .uint32(length);
    this.#bytes += length + 8;
  }
}

/** How many bytes a length takes. */
function varintLength(value: number): number {
  let bytes = 1;
  for (let rest = value; rest > 0x7f; rest >>>= 7) bytes += 1;
  return bytes;
}
