import type { Service } from "#libs/service/service.js";
import type { Commit } from "#task-service/store/commit.js";
import type { LogSelection } from "#task-service/store/log/log-selector.js";
import type { TaskStore } from "#task-service/store/task-store.js";
import { LogTail, type TailCommit } from "#task-service/watch/log-tail.js";
import { SharedSelection } from "#task-service/watch/shared-selection.js";
import { TasksWatcher, type TasksSink } from "#task-service/watch/tasks-watcher.js";

/** What a client wants to watch. */
export interface WatchTasksQuery {
  readonly selection: LogSelection;
  /** Equal for equal filters. */
  readonly fingerprint: string;
  readonly start:
    | { readonly kind: "snapshot" }
    | { readonly kind: "now" }
    /** `snapshotId`: within a snapshot; null: not. */
    | { readonly kind: "cursor"; readonly revision: number; readonly snapshotId: string | null };
}

/** Watchers with the same filter and classes. */
type Peers = Set<TasksWatcher>;

/**
 * Knows every watcher of many tasks and feeds them from commits. Watchers with the same filter and classes share the work, and a filter that
 * names ids costs nothing while nothing happens to these tasks.
 */
export class LogHub implements Service {
  readonly #store: TaskStore;
  readonly #heartbeatMs: number;
  readonly #tail = new LogTail();
  readonly #peers = new Map<string, Peers>();
  /** Those whose filter names ids, by id. */
  readonly #peersById = new Map<string, Set<Peers>>();
  /** The others. */
  readonly #generalPeers = new Set<Peers>();
  #count = 0;
  #timer: NodeJS.Timeout | undefined;

  /** `heartbeatMs`: idle streams get a bookmark this often. */
  constructor(store: TaskStore, options: { heartbeatMs: number }) {
    this.#store = store;
    this.#heartbeatMs = options.heartbeatMs;
    store.onCommit((commit) => {
      this.#onCommit(commit);
    });
  }

  /** How many watchers there are. */
  get watcherCount(): number {
    return this.#count;
  }

  start(): Promise<void> {
    const everyMs = Math.max(10, Math.min(1000, this.#heartbeatMs / 4));
    this.#timer = setInterval(() => {
      const nowMs = performance.now();
      for (const peers of this.#peers.values()) for (const watcher of peers) watcher.beat(nowMs);
    }, everyMs);
    return Promise.resolve();
  }

  stop(): Promise<void> {
    clearInterval(this.#timer);
    return Promise.resolve();
  }

  /** Starts a watcher. Failures go to its sink. Call {@link unwatch} when its stream is gone. */
  watch({ selection, fingerprint, start }: WatchTasksQuery, sink: TasksSink): TasksWatcher {
    // Nobody has kept the tail up to date while nobody watched.
    if (this.#count === 0) this.#tail.restart(this.#store.revision);
    const key = keyOf(fingerprint, selection);
    const peers = this.#peers.get(key) ?? new Set();
    const [peer] = peers;
    const watcher = new TasksWatcher({
      store: this.#store,
      tail: this.#tail,
      shared: peer?.shared ?? new SharedSelection(this.#store, selection, fingerprint),
      sink,
      heartbeatMs: this.#heartbeatMs,
      revision: start.kind === "snapshot" ? null : start.kind === "now" ? this.#store.revision : start.revision,
      snapshotId: start.kind === "cursor" ? start.snapshotId : null,
    });
    peers.add(watcher);
    if (peer === undefined) this.#addPeers(key, peers, watcher.shared);
    this.#count += 1;
    watcher.pump();
    return watcher;
  }

  /** Forgets a watcher. */
  unwatch(watcher: TasksWatcher): void {
    watcher.close();
    const key = keyOf(watcher.shared.fingerprint, watcher.shared.selection);
    const peers = this.#peers.get(key);
    if (peers?.delete(watcher) !== true) return;
    this.#count -= 1;
    if (peers.size === 0) this.#removePeers(key, peers, watcher.shared);
    if (this.#count === 0) this.#tail.restart(this.#store.revision);
  }

  #onCommit(commit: Commit): void {
    if (this.#count === 0) return;
    const added = this.#tail.add(commit);
    if (added === undefined) return;
    for (const peers of this.#generalPeers) tell(peers, added);
    if (this.#peersById.size === 0) return;
    const concerned = new Set<Peers>();
    for (const { taskId } of added.events) for (const peers of this.#peersById.get(taskId) ?? []) concerned.add(peers);
    for (const peers of concerned) tell(peers, added);
  }

  #addPeers(key: string, peers: Peers, { ids }: SharedSelection): void {
    this.#peers.set(key, peers);
    if (ids === undefined) this.#generalPeers.add(peers);
    for (const id of ids ?? []) {
      const concerned = this.#peersById.get(id) ?? new Set();
      concerned.add(peers);
      this.#peersById.set(id, concerned);
    }
  }

  #removePeers(key: string, peers: Peers, { ids }: SharedSelection): void {
    this.#peers.delete(key);
    this.#generalPeers.delete(peers);
    for (const id of ids ?? []) {
      const concerned = this.#peersById.get(id);
      concerned?.delete(peers);
      if (concerned?.size === 0) this.#peersById.delete(id);
    }
  }
}

function tell(peers: Peers, commit: TailCommit): void {
  for (const watcher of peers) watcher.onCommit(commit);
}

function keyOf(fingerprint: string, { classes }: LogSelection): string {
  return `${fingerprint} ${classes}`;
}
