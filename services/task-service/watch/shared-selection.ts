import { ChangeWriter } from "#task-service/store/log/change-writer.js";
import { LogSelector, type LogSelection } from "#task-service/store/log/log-selector.js";
import { makeResumeToken } from "#task-service/store/log/resume-token.js";
import type { LogPage, LogQuery, SelectedTasks } from "#task-service/store/read-query.js";
import type { TaskStore } from "#task-service/store/task-store.js";
import type { FrameCache, TailFrame } from "#task-service/watch/frame-cache.js";
import { logFrame } from "#task-service/watch/log-frame.js";
import type { TailCommit } from "#task-service/watch/log-tail.js";

let selections = 0;

const MAX_FRAME_BYTES = 256 * 1024;

/** What watchers with the same filter and classes have in common: each event is judged and encoded, and each page read, once for all of them. */
export class SharedSelection {
  readonly selection: LogSelection;
  /** Of the filter; tokens carry it. */
  readonly fingerprint: string;
  readonly #store: TaskStore;
  readonly #selector: LogSelector;
  readonly #cache: FrameCache;
  readonly #number = ++selections;
  /** Of the commit that was asked for last, also where it is nothing to these watchers. */
  #latest: { readonly commit: TailCommit; readonly frames: readonly TailFrame[] } | undefined;
  readonly #pageFrames = new WeakMap<LogPage, Map<string, Uint8Array>>();
  readonly #reads = new Map<string, Promise<LogPage>>();
  readonly #snapshotReads = new Map<string, Promise<SelectedTasks>>();

  constructor(store: TaskStore, cache: FrameCache, selection: LogSelection, fingerprint: string) {
    this.#store = store;
    this.#cache = cache;
    this.selection = selection;
    this.fingerprint = fingerprint;
    this.#selector = new LogSelector(selection);
  }

  /** The only tasks that can matter; undefined: each can. */
  get ids(): ReadonlySet<string> | undefined {
    return this.#selector.ids;
  }

  /** What a commit is to the watchers. */
  framesOf(commit: TailCommit): readonly TailFrame[] {
    if (this.#latest?.commit === commit) return this.#latest.frames;
    const key = `${this.#number} ${commit.lastRevision}`;
    const known = this.#cache.get(key);
    const frames = known ?? this.#encode(commit);
    if (known === undefined && frames.length > 0) this.#cache.set(key, frames);
    this.#latest = { commit, frames };
    return frames;
  }

  /** Reads a piece of the log. */
  read(query: Omit<LogQuery, "selection">): Promise<LogPage> {
    const key = `${query.afterRevision} ${query.upToRevision} ${query.upToId}`;
    const underWay = this.#reads.get(key);
    if (underWay !== undefined) return underWay;
    const page = this.#store
      .read({ kind: "readLog", selection: this.selection, ...query })
      .finally(() => this.#reads.delete(key));
    this.#reads.set(key, page);
    return page;
  }

  /** Reads the next tasks that match now. */
  readSelected(afterId: string): Promise<SelectedTasks> {
    const underWay = this.#snapshotReads.get(afterId);
    if (underWay !== undefined) return underWay;
    const page = this.#store
      .read({ kind: "readSelected", filter: this.selection.filter, afterId })
      .finally(() => this.#snapshotReads.delete(afterId));
    this.#snapshotReads.set(afterId, page);
    return page;
  }

  /** The frame of a page that has anything to tell; undefined: it has not. */
  frameOf(page: LogPage, snapshotId: string | null): Uint8Array | undefined {
    if (page.changes.length === 0 && page.conflated.length === 0) return undefined;
    const frames = this.#pageFrames.get(page) ?? new Map<string, Uint8Array>();
    this.#pageFrames.set(page, frames);
    const token = makeResumeToken(this.fingerprint, { revision: page.revision, snapshotId });
    const frame = frames.get(token) ?? logFrame({ token, conflated: page.conflated, fields: page.changes });
    frames.set(token, frame);
    return frame;
  }

  #encode(commit: TailCommit): TailFrame[] {
    const { events, tasks, lastRevision } = commit;
    const frames: TailFrame[] = [];
    const writer = new ChangeWriter();
    const finish = (revision: number) => {
      const token = makeResumeToken(this.fingerprint, { revision, snapshotId: null });
      frames.push({ revision, bytes: logFrame({ token, fields: writer.finish() }) });
    };
    for (const [index, { revision, sequence, taskId, body, before }] of events.entries()) {
      const task = tasks.get(taskId);
      if (task === undefined) throw new Error(`no one was told how task ${taskId} stands`);
      const head = commit.headOf(index);
      const verdict = this.#selector.judge(task, head, () => (before.state === 0 ? null : before));
      if (verdict === undefined) continue;
      if (writer.bytes > 0 && writer.bytes + body.length > MAX_FRAME_BYTES) finish(revision - 1);
      if (verdict === "event") writer.event(task, body);
      else writer.unselected(task, { revision, sequence, state: head.state });
    }
    if (writer.bytes > 0) finish(lastRevision);
    return frames;
  }
}
