import { retryUntilDone } from "#libs/async/retry.js";
import { watchTask } from "#libs/client/service-methods.js";
import type { TaskwireClient } from "#libs/client/taskwire-client.js";
import { TaskwireError } from "#libs/errors/taskwire-error.js";
import { TaskView, type TaskAttempt } from "#libs/proto/gen/taskwire/v1/task.js";
import type { TaskEvent } from "#libs/proto/gen/taskwire/v1/task_event.js";
import {
  ListTaskAttemptsRequest,
  ListTaskAttemptsResponse,
  TaskServiceService,
} from "#libs/proto/gen/taskwire/v1/task_service.js";
import { Channel } from "#libs/rpc/channel.js";
import type { FinalTask, StreamRecord } from "#test/robustness/history.js";
import { constantsOf, seenEvent, snapshotOf } from "#test/robustness/record-task.js";
import type { Recorder } from "#test/robustness/recorder.js";

const listTaskAttempts = {
  path: TaskServiceService.listTaskAttempts.path,
  request: ListTaskAttemptsRequest,
  response: ListTaskAttemptsResponse,
};
const TIMEOUT_MS = 20_000;
const LANES = 8;

/** Reads everything there is, past all proxies, when all is over. */
export class FinalReading {
  readonly #client: TaskwireClient;
  readonly #channel: Channel;
  readonly #recorder: Recorder;

  constructor(address: string, client: TaskwireClient, recorder: Recorder) {
    this.#client = client;
    this.#channel = new Channel({ address });
    this.#recorder = recorder;
  }

  /** Every task the service lists or has ever accepted, and the ids of accepted ones that are not there. */
  async readAll(): Promise<{ finals: FinalTask[]; missing: string[] }> {
    const ids = new Set(this.#recorder.accepted);
    for await (const { id } of this.#client.list({ pageSize: 500 })) ids.add(id);
    const finals: FinalTask[] = [];
    const missing: string[] = [];
    await this.#forEach([...ids], async (id) => {
      try {
        const task = await this.#client.get(id);
        const described = { snapshot: snapshotOf(task), constants: constantsOf(task) };
        finals.push({ ...described, events: await this.#events(id, "final"), attempts: await this.#attempts(id) });
      } catch (error) {
        if (!(error instanceof TaskwireError && error.code === "NOT_FOUND")) throw error;
        missing.push(id);
      }
    });
    return { finals: finals.sort((a, b) => (a.snapshot.id < b.snapshot.id ? -1 : 1)), missing };
  }

  /** Reads every history once more. */
  async readAgain(finals: readonly FinalTask[]): Promise<void> {
    await this.#forEach(
      finals.map(({ snapshot }) => snapshot.id),
      async (id) => {
        await this.#events(id, "after restart");
      },
    );
  }

  close(): void {
    this.#channel.close();
  }

  async #events(id: string, via: StreamRecord["via"]): Promise<TaskEvent[]> {
    const stream = this.#recorder.openStream(via, id, 0);
    const events: TaskEvent[] = [];
    const request = { id, afterSequence: 0, view: TaskView.TASK_VIEW_BASIC };
    for await (const frame of this.#channel.serverStream(watchTask, request, { timeoutMs: TIMEOUT_MS })) {
      if (frame.events.length === 0) continue;
      events.push(...frame.events);
      this.#recorder.frame(stream, { events: frame.events.map(seenEvent) });
    }
    this.#recorder.closeStream(stream, "ok");
    return events;
  }

  async #attempts(id: string): Promise<TaskAttempt[]> {
    const attempts: TaskAttempt[] = [];
    let pageToken = "";
    do {
      const request = { id, pageSize: 1000, pageToken };
      const page = await this.#channel.unary(listTaskAttempts, request, { timeoutMs: TIMEOUT_MS });
      attempts.push(...page.attempts);
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    return attempts;
  }

  /** A few at a time; each is tried again for a while, as a service under load may answer late. */
  async #forEach(ids: readonly string[], read: (id: string) => Promise<void>): Promise<void> {
    const left = [...ids];
    const signal = AbortSignal.timeout(TIMEOUT_MS * 6);
    const lane = async () => {
      for (let id = left.pop(); id !== undefined; id = left.pop()) {
        const next = id;
        await retryUntilDone(() => read(next), { signal, waitMs: 200, onError: () => undefined });
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
  }
}
