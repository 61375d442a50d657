import { ChangeWriter } from "#task-service/store/log/change-writer.js";
import { eventHead } from "#task-service/store/log/event-head.js";
import { LogSelector, type LogSelection } from "#task-service/store/log/log-selector.js";
import { makeResumeToken } from "#task-service/store/log/resume-token.js";
import type { LogPage, LogQuery } from "#task-service/store/read-query.js";
import type { TaskStore } from "#task-service/store/task-store.js";
import { logFrame } from "#task-service/watch/log-frame.js";
import type { TailCommit } from "#task-service/watch/log-tail.js";

/** An encoded frame, and the cursor after it. */
export interface TailFrame {
  readonly revision: number;
  readonly bytes: Uint8Array;
}

const MAX_FRAME_BYTES = 256 * 1024;

/** What watchers with the same filter and classes have in common: each event is judged and encoded, and each page read, once for all of them. */
export class SharedSelection {
  readonly selection: LogSelection;
  /** Of the filter; tokens carry it. */
  readonly fingerprint: string;
  readonly #store: TaskStore;
  readonly #selector: LogSelector;
  readonly #frames = new WeakMap<TailCommit, readonly TailFrame[]>();
  readonly #pageFrames = new WeakMap<LogPage, Map<string, Uint8Array>>();
  readonly #reads = new Map<string, Promise<LogPage>>();

  constructor(store: TaskStore, selection: LogSelection, fingerprint: string) {
    this.#store = store;
    this.selection = selection;
    this.fingerprint = fingerprint;
    this.#selector = new LogSelector(selection);
  }

  /** The only tasks that can matter; undefined: any. */
  get ids(): ReadonlySet<string> | undefined {
    return this.#selector.ids;
  }

  /** What a commit is to the watchers. */
  framesOf(commit: TailCommit): readonly TailFrame[] {
    const known = this.#frames.get(commit);
    if (known !== undefined) return known;
    const frames = this.#encode(commit);
    this.#frames.set(commit, frames);
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

  #encode({ events, tasks, lastRevision }: TailCommit): TailFrame[] {
    const frames: TailFrame[] = [];
    const writer = new ChangeWriter();
    const finish = (revision: number) => {
      const token = makeResumeToken(this.fingerprint, { revision, snapshotId: null });
      frames.push({ revision, bytes: logFrame({ token, fields: writer.finish() }) });
    };
    for (const { revision, sequence, taskId, body, before } of events) {
      const task = tasks.get(taskId);
      if (task === undefined) throw new Error(`no one was told how task ${taskId} stands`);
      const head = eventHead(body);
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
