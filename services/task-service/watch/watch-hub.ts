import type { Service } from "#libs/service/service.js";
import type { Commit, CommittedEvent } from "#task-service/store/commit.js";
import type { TaskStore } from "#task-service/store/task-store.js";
import { eventFrame } from "#task-service/watch/event-frame.js";
import { TaskWatcher, type WatchSink } from "#task-service/watch/task-watcher.js";

const MAX_FRAME_BYTES = 1024 * 1024;

/** What a client wants to watch. */
export interface WatchRequest {
  readonly id: string;
  /** The last event the client has; undefined: begin with a snapshot. */
  readonly afterSequence: number | undefined;
  /** Whether a snapshot carries payload and result. */
  readonly isFull: boolean;
}

/** Knows every watcher and feeds them from commits. */
export class WatchHub implements Service {
  readonly #store: TaskStore;
  readonly #heartbeatMs: number;
  readonly #watchers = new Map<string, Set<TaskWatcher>>();
  #timer: NodeJS.Timeout | undefined;

  /** `heartbeatMs`: idle streams get a sign of life this often. */
  constructor(store: TaskStore, options: { heartbeatMs: number }) {
    this.#store = store;
    this.#heartbeatMs = options.heartbeatMs;
    store.onCommit((commit) => {
      this.#onCommit(commit);
    });
  }

  /** How many watchers there are. */
  get watcherCount(): number {
    let count = 0;
    for (const watchers of this.#watchers.values()) count += watchers.size;
    return count;
  }

  start(): Promise<void> {
    this.#timer = setInterval(
      () => {
        this.#beat();
      },
      Math.max(10, Math.min(1000, this.#heartbeatMs / 4)),
    );
    return Promise.resolve();
  }

  stop(): Promise<void> {
    clearInterval(this.#timer);
    return Promise.resolve();
  }

  /** Starts a watcher. Failures go to its sink. Call {@link unwatch} when its stream is gone. */
  watch(request: WatchRequest, sink: WatchSink): TaskWatcher {
    const { id, afterSequence, isFull } = request;
    const watcher = new TaskWatcher({ id, afterSequence: afterSequence ?? 0, store: this.#store, sink });
    // Registered before the first read: a commit in between is noticed.
    const watchers = this.#watchers.get(id) ?? new Set();
    watchers.add(watcher);
    this.#watchers.set(id, watchers);
    const started = afterSequence === undefined ? watcher.startWithSnapshot(isFull) : watcher.read();
    started.catch((error: unknown) => {
      watcher.close();
      sink.fail(error);
    });
    return watcher;
  }

  /** Forgets a watcher. */
  unwatch(watcher: TaskWatcher): void {
    watcher.close();
    const watchers = this.#watchers.get(watcher.id);
    watchers?.delete(watcher);
    if (watchers?.size === 0) this.#watchers.delete(watcher.id);
  }

  #onCommit(commit: Commit): void {
    if (this.#watchers.size === 0) return;
    const byTask = new Map<string, CommittedEvent[]>();
    for (const event of commit.events) {
      if (!this.#watchers.has(event.taskId)) continue;
      const events = byTask.get(event.taskId);
      if (events === undefined) byTask.set(event.taskId, [event]);
      else events.push(event);
    }
    for (const [id, events] of byTask) {
      for (const part of frameParts(events)) this.#tell(id, part);
    }
  }

  #tell(id: string, events: readonly CommittedEvent[]): void {
    let shared: Uint8Array | undefined;
    const frame = () => (shared ??= eventFrame(events.map((event) => event.body)));
    for (const watcher of this.#watchers.get(id) ?? []) watcher.onEvents(events, frame);
  }

  #beat(): void {
    const nowMs = performance.now();
    for (const watchers of this.#watchers.values()) {
      for (const watcher of watchers) watcher.beat(nowMs, this.#heartbeatMs, this.#store.revision);
    }
  }
}

/** Events that go into one frame each: a commit may bring more than gRPC clients accept at once (4 MiB). */
function frameParts(events: readonly CommittedEvent[]): CommittedEvent[][] {
  const parts: CommittedEvent[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const event of events) {
    bytes += event.body.length;
    if (bytes > MAX_FRAME_BYTES) {
      parts.push([]);
      bytes = event.body.length;
    }
    parts.at(-1)?.push(event);
  }
  return parts;
}
