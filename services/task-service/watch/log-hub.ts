import { Pace } from "#libs/async/pace.js";
import type { Service } from "#libs/service/service.js";
import type { Commit } from "#task-service/store/commit.js";
import type { LogSelection } from "#task-service/store/log/log-selector.js";
import type { TaskStore } from "#task-service/store/task-store.js";
import { FrameCache } from "#task-service/watch/frame-cache.js";
import { LogTail } from "#task-service/watch/log-tail.js";
import { SharedSelection } from "#task-service/watch/shared-selection.js";
import { TasksWatcher, type TasksSink } from "#task-service/watch/tasks-watcher.js";
import { WatcherGroup } from "#task-service/watch/watcher-group.js";

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

/**
 * Knows every watcher of many tasks and feeds them from commits. Watchers with the same filter and classes share the work, and a filter that
 * names ids costs nothing while nothing happens to these tasks.
 */
export class LogHub implements Service {
  readonly #store: TaskStore;
  readonly #heartbeatMs: number;
  readonly #tail: LogTail;
  readonly #frames = new FrameCache();
  readonly #pace = new Pace();
  readonly #groups = new Map<string, WatcherGroup>();
  /** Those whose filter names ids, by id. */
  readonly #groupsById = new Map<string, Set<WatcherGroup>>();
  /** The others. */
  readonly #generalGroups = new Set<WatcherGroup>();
  #count = 0;
  #timer: NodeJS.Timeout | undefined;

  /** `heartbeatMs`: idle streams get a bookmark this often. `tailBytes`: of the latest commits, default 8 MiB. */
  constructor(store: TaskStore, options: { readonly heartbeatMs: number; readonly tailBytes?: number }) {
    this.#store = store;
    this.#tail = new LogTail(options.tailBytes);
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
      for (const { isUpToDate, watchers } of this.#groups.values())
        if (isUpToDate) for (const watcher of watchers) watcher.beat(nowMs);
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
    const group = this.#groups.get(key) ?? this.#addGroup(key, selection, fingerprint);
    const watcher = new TasksWatcher({
      tail: this.#tail,
      pace: this.#pace,
      shared: group.shared,
      sink,
      heartbeatMs: this.#heartbeatMs,
      revision: start.kind === "snapshot" ? null : start.kind === "now" ? this.#store.revision : start.revision,
      snapshotId: start.kind === "cursor" ? start.snapshotId : null,
    });
    group.watchers.add(watcher);
    this.#count += 1;
    watcher.pump();
    return watcher;
  }

  /** Forgets a watcher. */
  unwatch(watcher: TasksWatcher): void {
    watcher.close();
    const key = keyOf(watcher.shared.fingerprint, watcher.shared.selection);
    const group = this.#groups.get(key);
    if (group?.watchers.delete(watcher) !== true) return;
    this.#count -= 1;
    if (group.watchers.size === 0) this.#removeGroup(key, group);
    if (this.#count === 0) this.#tail.restart(this.#store.revision);
  }

  #onCommit(commit: Commit): void {
    if (this.#count === 0) return;
    const added = this.#tail.add(commit);
    if (added === undefined) return;
    for (const group of this.#generalGroups) group.tell(added, this.#pace);
    if (this.#groupsById.size === 0) return;
    const concerned = new Set<WatcherGroup>();
    for (const { taskId } of added.events) for (const group of this.#groupsById.get(taskId) ?? []) concerned.add(group);
    for (const group of concerned) group.tell(added, this.#pace);
  }

  #addGroup(key: string, selection: LogSelection, fingerprint: string): WatcherGroup {
    const group = new WatcherGroup(new SharedSelection(this.#store, this.#frames, selection, fingerprint));
    const { ids } = group.shared;
    this.#groups.set(key, group);
    if (ids === undefined) this.#generalGroups.add(group);
    for (const id of ids ?? []) {
      const concerned = this.#groupsById.get(id) ?? new Set();
      concerned.add(group);
      this.#groupsById.set(id, concerned);
    }
    return group;
  }

  #removeGroup(key: string, group: WatcherGroup): void {
    this.#groups.delete(key);
    this.#generalGroups.delete(group);
    for (const id of group.shared.ids ?? []) {
      const concerned = this.#groupsById.get(id);
      concerned?.delete(group);
      if (concerned?.size === 0) this.#groupsById.delete(id);
    }
  }
}

function keyOf(fingerprint: string, { classes }: LogSelection): string {
  return `${fingerprint} ${classes}`;
}
