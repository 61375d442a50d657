import { delay } from "#libs/async/delay.js";
import { watchTask } from "#libs/client/service-methods.js";
import type { TaskwireClient } from "#libs/client/taskwire-client.js";
import { TaskView } from "#libs/proto/gen/taskwire/v1/task.js";
import { Channel } from "#libs/rpc/channel.js";
import type { StreamRecord } from "#test/robustness/history.js";
import { leaveAfter } from "#test/robustness/leave-after.js";
import { seenEvent, snapshotOf } from "#test/robustness/record-task.js";
import { errorText, type Recorder } from "#test/robustness/recorder.js";
import type { CursorChoice, Leg, Via } from "#test/robustness/steps.js";

/** Watches tasks leg by leg, each from another cursor, and records every frame. */
export class TaskObserver {
  readonly #channel: Channel;
  readonly #client: TaskwireClient;
  readonly #recorder: Recorder;

  constructor(address: string, client: TaskwireClient, recorder: Recorder) {
    this.#channel = new Channel({ address });
    this.#client = client;
    this.#recorder = recorder;
  }

  /** Goes through the legs one after the other. Never rejects; ends early when the signal fires. */
  async watch(taskId: string, via: Via, legs: readonly Leg[], signal: AbortSignal): Promise<void> {
    for (const leg of legs) {
      if (signal.aborted) return;
      await leaveAfter(leg.forMs, signal, (leaving) => this.#leg(taskId, via, leg, leaving));
    }
  }

  close(): void {
    this.#channel.close();
  }

  async #leg(taskId: string, via: Via, { cursor: choice, stallMs }: Leg, signal: AbortSignal): Promise<void> {
    const cursor = cursorOf(choice, this.#recorder.lastSeen(taskId));
    const stream = this.#recorder.openStream(via, taskId, cursor);
    let isFirst = true;
    const afterFrame = async () => {
      if (isFirst && stallMs > 0) await delay(stallMs, signal).catch(() => undefined);
      isFirst = false;
    };
    try {
      await (via === "raw" ? this.#raw(stream, signal, afterFrame) : this.#library(stream, signal, afterFrame));
      this.#recorder.closeStream(stream, "ok");
    } catch (error) {
      this.#recorder.closeStream(stream, signal.aborted ? "left" : errorText(error));
    }
  }

  /** Every frame as it comes, until this one stream ends. */
  async #raw(stream: StreamRecord, signal: AbortSignal, afterFrame: () => Promise<void>): Promise<void> {
    const request = { id: stream.taskId, afterSequence: stream.cursor ?? undefined, view: TaskView.TASK_VIEW_FULL };
    for await (const { snapshot, events, heartbeat } of this.#channel.serverStream(watchTask, request, { signal })) {
      this.#recorder.frame(stream, {
        ...(snapshot === undefined ? {} : { snapshot: snapshotOf(snapshot) }),
        ...(events.length === 0 ? {} : { events: events.map(seenEvent) }),
        ...(heartbeat === undefined ? {} : { heartbeat }),
      });
      await afterFrame();
    }
  }

  /** What the library makes of all the connections it needs. */
  async #library(stream: StreamRecord, signal: AbortSignal, afterFrame: () => Promise<void>): Promise<void> {
    const options = { signal, fullSnapshot: true, ...(stream.cursor === null ? {} : { afterSequence: stream.cursor }) };
    for await (const frame of this.#client.watch(stream.taskId, options)) {
      if (frame.kind === "snapshot") this.#recorder.frame(stream, { snapshot: snapshotOf(frame.task) });
      else this.#recorder.frame(stream, { events: [seenEvent(frame.event)] });
      await afterFrame();
    }
  }
}

function cursorOf(choice: CursorChoice, lastSeen: number): number | null {
  if (choice === "snapshot") return null;
  if (choice === "start") return 0;
  return choice === "last" ? lastSeen : Math.floor(choice * (lastSeen + 1));
}
