import type { SelectedLog } from "#test/robustness/watches/selected-log.js";

/** A page of a snapshot: it tells of the ids up to one at a moment between two revisions, which are the bounds that can be proved. */
export interface SnapshotPage {
  readonly upToId: string;
  /** At this revision or later … */
  readonly fromRevision: number;
  /** … and before this one. */
  readonly beforeRevision: number;
}

/** Whether a step is to be told; `perhaps`: it may be part of the page. */
export type Due = "yes" | "perhaps" | "no";

/** What a client has been told of a snapshot that is not complete, changes included. */
export class OpenSnapshot {
  readonly #pages: SnapshotPage[] = [];
  /** Of each task on a page: the revision it stood at there. */
  readonly #listed = new Map<string, number>();
  /** The sequence of each task that matches, as far as told. */
  readonly known = new Map<string, number>();

  /** Ids up to here have been passed. */
  get passedId(): string {
    return this.#pages.at(-1)?.upToId ?? "";
  }

  addPage(page: SnapshotPage): void {
    this.#pages.push(page);
  }

  list(taskId: string, sequence: number, revision: number): void {
    this.#listed.set(taskId, revision);
    this.known.set(taskId, sequence);
  }

  isDue(taskId: string, revision: number): Due {
    const page = this.#pages.find(({ upToId }) => taskId <= upToId);
    if (page === undefined) return "no";
    const listed = this.#listed.get(taskId);
    if (listed !== undefined) return revision > listed ? "yes" : "no";
    if (revision >= page.beforeRevision) return "yes";
    return revision > page.fromRevision ? "perhaps" : "no";
  }

  clone(): OpenSnapshot {
    const copy = new OpenSnapshot();
    copy.#pages.push(...this.#pages);
    for (const [id, revision] of this.#listed) copy.#listed.set(id, revision);
    for (const [id, sequence] of this.known) copy.known.set(id, sequence);
    return copy;
  }
}

/** How far a stream has told the log, together with those it goes on from. */
export class WatchPosition {
  /** The place of the first step that is not accounted for; undefined: it began at a revision it has not named yet. */
  next: number | undefined;
  /** The greatest revision it has told or vouched for. */
  revision: number;
  /** Undefined: it is complete, or there was none. */
  snapshot: OpenSnapshot | undefined;

  private constructor(next: number | undefined, revision: number, snapshot: OpenSnapshot | undefined) {
    this.next = next;
    this.revision = revision;
    this.snapshot = snapshot;
  }

  static beforeSnapshot(): WatchPosition {
    return new WatchPosition(0, 0, new OpenSnapshot());
  }

  static now(): WatchPosition {
    return new WatchPosition(undefined, 0, undefined);
  }

  static after(log: SelectedLog, revision: number): WatchPosition {
    return new WatchPosition(log.indexAfter(revision), revision, undefined);
  }

  clone(): WatchPosition {
    return new WatchPosition(this.next, this.revision, this.snapshot?.clone());
  }
}
