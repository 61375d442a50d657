import type { Commit, CommittedEvent } from "#task-service/store/commit.js";
import { eventHead, type EventHead } from "#task-service/store/log/event-head.js";
import type { TaskConstants } from "#task-service/store/log/log-selector.js";

/** A commit with events. */
export interface TailCommit {
  readonly firstRevision: number;
  readonly lastRevision: number;
  readonly events: readonly CommittedEvent[];
  /** The tasks of these events. */
  readonly tasks: ReadonlyMap<string, TaskConstants>;
  /** What the event at a place says of its task; read once. */
  headOf(index: number): EventHead;
}

const DEFAULT_CAPACITY_BYTES = 8 * 1024 * 1024;
/** Roughly what an event costs beside its body. */
const EVENT_BYTES = 300;

/**
 * The latest commits, for watchers that are a little behind. Up to 8 MiB; the oldest go first. Watchers that are further behind read the
 * database.
 */
export class LogTail {
  readonly #capacityBytes: number;
  #commits: { readonly commit: TailCommit; readonly bytes: number }[] = [];
  #bytes = 0;
  #lastRevision = 0;

  constructor(capacityBytes: number = DEFAULT_CAPACITY_BYTES) {
    this.#capacityBytes = capacityBytes;
  }

  /** The latest revision it knows of. */
  get lastRevision(): number {
    return this.#lastRevision;
  }

  /** Forgets everything and begins after a revision. */
  restart(revision: number): void {
    this.#commits = [];
    this.#bytes = 0;
    this.#lastRevision = revision;
  }

  /** Takes the next commit; undefined: it has no events. */
  add({ events, changes }: Commit): TailCommit | undefined {
    const first = events[0];
    const last = events.at(-1);
    if (first === undefined || last === undefined) return undefined;
    const tasks = new Map(changes.map((change) => [change.id, change]));
    const heads: EventHead[] = [];
    const headOf = (index: number) => (heads[index] ??= eventHead(events[index]?.body ?? new Uint8Array()));
    const commit = { firstRevision: first.revision, lastRevision: last.revision, events, tasks, headOf };
    const bytes = events.reduce((sum, { body }) => sum + body.length + EVENT_BYTES, 0);
    this.#commits.push({ commit, bytes });
    this.#bytes += bytes;
    this.#lastRevision = last.revision;
    while (this.#bytes > this.#capacityBytes) this.#bytes -= this.#commits.shift()?.bytes ?? 0;
    return commit;
  }

  /** The commit after a revision; null: there is none yet; undefined: the revision is too old, or within a commit. */
  next(revision: number): TailCommit | null | undefined {
    if (revision >= this.#lastRevision) return null;
    const commit = this.#commits.findLast(({ commit: { firstRevision } }) => firstRevision <= revision + 1)?.commit;
    return commit?.firstRevision === revision + 1 ? commit : undefined;
  }
}
