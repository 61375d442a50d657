import type { Pace } from "#libs/async/pace.js";
import { TaskwireError } from "#libs/errors/taskwire-error.js";
import { makeResumeToken } from "#task-service/store/log/resume-token.js";
import type { LogBounds, SelectedTasks } from "#task-service/store/read-query.js";
import type { TaskRecord } from "#task-service/store/task-record.js";
import { logFrame, type LogFrameParts } from "#task-service/watch/log-frame.js";
import type { LogTail, TailCommit } from "#task-service/watch/log-tail.js";
import type { SharedSelection } from "#task-service/watch/shared-selection.js";

/** Where the frames of a watcher of many tasks go. */
export interface TasksSink {
  /** Takes an encoded frame; false: no more until {@link TasksWatcher.onDrain}. */
  frame(bytes: Uint8Array): boolean;
  /** Encodes tasks as the field `snapshot`. */
  encodeTasks(tasks: readonly TaskRecord[]): Uint8Array;
  fail(error: unknown): void;
}

/** What a watcher is made of. */
export interface TasksWatcherOptions {
  readonly tail: LogTail;
  readonly pace: Pace;
  readonly shared: SharedSelection;
  readonly sink: TasksSink;
  /** A sign of life is due when nothing was sent for so long. */
  readonly heartbeatMs: number;
  /** After which revision to begin; null: with a snapshot. */
  readonly revision: number | null;
  /** A snapshot goes on after this id; null: there is none. */
  readonly snapshotId: string | null;
}

/**
 * One stream's cursor over the log of all tasks. It holds a position, never events, and within a snapshot at most one page of tasks, so a reader
 * that stands still costs nothing that grows.
 *
 * States: snapshot → reading (the database) → catching up (from the tail) → following ⇄ blocked (the stream is full); every state → ended. What
 * was blocked goes on with catching up, or with reading where the tail does not reach back far enough.
 *
 * A snapshot is read in pages, each as new as it can be. Before a page is sent, what has happened meanwhile to the tasks of earlier pages is: so
 * tasks and changes add up at every moment.
 */
export class TasksWatcher {
  readonly shared: SharedSelection;
  readonly #options: TasksWatcherOptions;
  /** While following, the tail's end where that is later. */
  #revision: number;
  #snapshotId: string | null;
  /** It waits until what has happened up to its revision has been sent. */
  #snapshotPage: SelectedTasks | undefined;
  #isVerified = false;
  #hasCaughtUp = false;
  #isPumping = false;
  #isFollowing = false;
  #isBlocked = false;
  #isEnded = false;
  #lastFrameAtMs = performance.now();

  constructor(options: TasksWatcherOptions) {
    this.#options = options;
    this.shared = options.shared;
    this.#revision = options.revision ?? 0;
    this.#snapshotId = options.revision === null ? "" : options.snapshotId;
  }

  /** Sends what there is, from its cursor on, until it follows, is blocked or has ended. */
  pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    this.#run()
      .catch((error: unknown) => {
        this.close();
        this.#options.sink.fail(error);
      })
      .finally(() => {
        this.#isPumping = false;
        // It was full and has room again while the last read was under way.
        if (!this.#isFollowing && !this.#isBlocked && !this.#isEnded) this.pump();
      });
  }

  /** A commit was added to the tail. */
  onCommit(commit: TailCommit): void {
    if (!this.#isFollowing || commit.lastRevision <= this.#revision) return;
    if (commit.firstRevision <= this.#revision) this.fallBehind();
    else this.#deliver(commit);
  }

  /** It will not be told of some commits: it reads on from where it is. */
  fallBehind(): void {
    if (!this.#isFollowing) return;
    this.#isFollowing = false;
    this.pump();
  }

  /** The stream takes frames again. */
  onDrain(): void {
    if (!this.#isBlocked) return;
    this.#isBlocked = false;
    this.pump();
  }

  /** Sends a bookmark if nothing was sent for a while and nothing is missing. */
  beat(nowMs: number): void {
    if (this.#isFollowing && nowMs - this.#lastFrameAtMs >= this.#options.heartbeatMs) this.#bookmark();
  }

  /** The stream is gone. */
  close(): void {
    this.#isEnded = true;
    this.#isFollowing = false;
  }

  async #run(): Promise<void> {
    const { pace } = this.#options;
    while (!this.#isEnded && !this.#isBlocked && !this.#isFollowing) {
      for (let pause = pace.pause; pause !== undefined; pause = pace.pause) await pause;
      if (this.#isEnded) return;
      if (this.#snapshotId !== null) await this.#snapshotStep(this.#snapshotId);
      else {
        const commit = this.#isVerified ? this.#options.tail.next(this.#revision) : undefined;
        if (commit === undefined) await this.#read(null, null);
        else this.#catchUp(commit);
      }
    }
  }

  /** Delivers the next commit of the tail; null: there is none. */
  #catchUp(commit: TailCommit | null): void {
    if (commit !== null) {
      this.#deliver(commit);
      return;
    }
    this.#isFollowing = true;
    if (!this.#hasCaughtUp) this.#bookmark();
    this.#hasCaughtUp = true;
  }

  #deliver(commit: TailCommit): void {
    for (const { revision, bytes } of this.shared.framesOf(commit)) {
      this.#revision = revision;
      this.#sent(this.#options.sink.frame(bytes));
      if (this.#isBlocked) return;
    }
    this.#revision = commit.lastRevision;
  }

  /** Reads and sends the next piece of the log, up to a revision and for tasks up to an id where they are given. */
  async #read(upToRevision: number | null, upToId: string | null): Promise<void> {
    const page = await this.shared.read({ afterRevision: this.#revision, upToRevision, upToId });
    if (this.#isEnded) return;
    requireKept(this.#revision, page);
    this.#isVerified = true;
    this.#revision = page.revision;
    const frame = this.shared.frameOf(page, upToId);
    if (frame !== undefined) this.#sent(this.#options.sink.frame(frame));
    else if (performance.now() - this.#lastFrameAtMs >= this.#options.heartbeatMs) this.#send({});
  }

  async #snapshotStep(afterId: string): Promise<void> {
    const { sink } = this.#options;
    const page = (this.#snapshotPage ??= await this.shared.readSelected(afterId));
    if (this.#isEnded) return;
    if (afterId === "") this.#revision = page.lastRevision;
    while (this.#revision < page.lastRevision) {
      await this.#read(page.lastRevision, afterId);
      if (this.#isBlocked || this.#isEnded) return;
    }
    requireKept(this.#revision, page);
    this.#isVerified = true;
    this.#snapshotPage = undefined;
    this.#snapshotId = page.hasMore ? (page.tasks.at(-1)?.id ?? null) : null;
    const fields = sink.encodeTasks(page.tasks);
    if (page.hasMore) this.#send({ fields });
    else {
      this.#hasCaughtUp = true;
      this.#send({ fields, synced: this.#revision });
    }
  }

  #bookmark(): void {
    this.#revision = Math.max(this.#revision, this.#options.tail.lastRevision);
    this.#send({ bookmark: this.#revision });
  }

  #send(parts: Omit<LogFrameParts, "token">): void {
    const cursor = { revision: this.#revision, snapshotId: this.#snapshotId };
    const token = makeResumeToken(this.shared.fingerprint, cursor);
    this.#sent(this.#options.sink.frame(logFrame({ token, ...parts })));
  }

  #sent(hasRoom: boolean): void {
    this.#lastFrameAtMs = performance.now();
    if (hasRoom) return;
    this.#isBlocked = true;
    this.#isFollowing = false;
  }
}

/** Throws OUT_OF_RANGE where events after a cursor may be missing, or it is beyond the log. */
function requireKept(cursor: number, { lastRevision, compactedRevision }: LogBounds): void {
  if (cursor >= compactedRevision && cursor <= lastRevision) return;
  const isAhead = cursor > lastRevision;
  throw new TaskwireError({
    code: "OUT_OF_RANGE",
    reason: isAhead ? "CURSOR_AHEAD" : "REVISION_COMPACTED",
    message: isAhead
      ? `the cursor is at revision ${cursor}, but the log ends at ${lastRevision}; begin with a snapshot`
      : `events after revision ${cursor} have been deleted; go on after ${compactedRevision} or later, or begin with a snapshot`,
    metadata: {
      revision: String(cursor),
      oldestRevision: String(compactedRevision),
      currentRevision: String(lastRevision),
    },
  });
}
