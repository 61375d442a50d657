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
  #writer = new BinaryWriter();
  #bytes = 0;

  /** How many bytes there are, roughly. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Appends an encoded `taskwire.v1.TaskEvent`, with its task's type and queue: fields may come in any order. */
  event(task: TaskConstants, body: Uint8Array): void {
    const inner = new BinaryWriter();
    inner.raw(body).uint32(TYPE_OF_EVENT).string(task.type).uint32(QUEUE_OF_EVENT).string(task.queue);
    this.#append(EVENT_OF_CHANGE, inner.finish());
  }

  /** Appends that a task left the filter. */
  unselected(task: TaskConstants, { revision, sequence, state }: UnselectedAt): void {
    const inner = new BinaryWriter();
    inner.uint32(REVISION_OF_UNSELECTED).int64(revision).uint32(TASK_ID_OF_UNSELECTED).string(task.id);
    inner.uint32(SEQUENCE_OF_UNSELECTED).int64(sequence).uint32(STATE_OF_UNSELECTED).int32(state);
    this.#append(UNSELECTED_OF_CHANGE, inner.finish());
  }

  /** What was appended since the last call. */
  finish(): Uint8Array {
    this.#bytes = 0;
    return this.#writer.finish();
  }

  #append(tag: number, message: Uint8Array): void {
    this.#writer.uint32(CHANGES_OF_RESPONSE).fork().uint32(tag).bytes(message).join();
    this.#bytes += message.length + 8;
  }
}
