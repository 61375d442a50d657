import { expect } from "chai";
import type { TaskEvent } from "#libs/proto/gen/taskwire/v1/task_event.js";
import { WatchTaskResponse } from "#libs/proto/gen/taskwire/v1/task_service.js";
import type { TaskRecord } from "#task-service/store/task-record.js";
import type { WatchSink } from "#task-service/watch/task-watcher.js";

/** Stands for a client's stream: keeps what it is sent and holds the watcher to its manners. */
export class RecordingSink implements WatchSink {
  readonly events: TaskEvent[] = [];
  /** Sizes of the event frames, in bytes. */
  readonly frameBytes: number[] = [];
  readonly heartbeats: { readonly revision: number; readonly sequence: number }[] = [];
  snapshotTaken: TaskRecord | undefined;
  isBlocked = false;
  isEnded = false;
  failure: unknown;
  readonly #hasRoom: () => boolean;

  /** `hasRoom`: whether there is room for another frame after one was taken; default: always. */
  constructor(hasRoom: () => boolean = () => true) {
    this.#hasRoom = hasRoom;
  }

  get sequences(): number[] {
    return this.events.map(({ sequence }) => sequence);
  }

  frame(bytes: Uint8Array): boolean {
    const { events } = WatchTaskResponse.decode(bytes);
    expect(events.length, "events of a frame").to.be.at.least(1);
    this.events.push(...events);
    this.frameBytes.push(bytes.length);
    return this.#taken();
  }

  snapshot(task: TaskRecord): boolean {
    expect([this.snapshotTaken, this.events.length], "nothing comes before the snapshot").to.deep.equal([undefined, 0]);
    this.snapshotTaken = structuredClone(task);
    return this.#taken();
  }

  heartbeat(revision: number, sequence: number): boolean {
    this.heartbeats.push({ revision, sequence });
    return this.#taken();
  }

  end(): void {
    expect(this.isEnded, "ended twice").to.equal(false);
    this.isEnded = true;
  }

  fail(error: unknown): void {
    this.failure = error;
  }

  #taken(): boolean {
    expect(this.isBlocked, "a frame while the stream is full").to.equal(false);
    expect(this.isEnded, "a frame after the end").to.equal(false);
    this.isBlocked = !this.#hasRoom();
    return !this.isBlocked;
  }
}
