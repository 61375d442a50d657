import type { Pace } from "#libs/async/pace.js";
import type { SharedSelection } from "#task-service/watch/shared-selection.js";
import type { TailCommit } from "#task-service/watch/log-tail.js";
import type { TasksWatcher } from "#task-service/watch/tasks-watcher.js";

/** Commits that wait to be told; beyond, the watchers look for themselves. */
const MAX_WAITING = 32;

/** Watchers with the same filter and classes, and the commits that they are still to be told of. */
export class WatcherGroup {
  readonly shared: SharedSelection;
  readonly watchers = new Set<TasksWatcher>();
  #waiting: TailCommit[] = [];
  #isTelling = false;

  constructor(shared: SharedSelection) {
    this.shared = shared;
  }

  /** Whether its watchers know of every commit that concerns them. */
  get isUpToDate(): boolean {
    return this.#waiting.length === 0;
  }

  /** Tells all watchers of a commit, in order, as fast as the pace allows. */
  tell(commit: TailCommit, pace: Pace): void {
    this.#waiting.push(commit);
    if (this.#waiting.length > MAX_WAITING) this.#giveUp();
    else if (!this.#isTelling) {
      this.#tellAll(pace).catch(() => {
        this.#giveUp();
      });
    }
  }

  /** They read the database instead. */
  #giveUp(): void {
    this.#waiting = [];
    for (const watcher of this.watchers) watcher.fallBehind();
  }

  async #tellAll(pace: Pace): Promise<void> {
    this.#isTelling = true;
    try {
      for (let commit = this.#waiting[0]; commit !== undefined; commit = this.#waiting[0]) {
        for (const watcher of this.watchers) {
          for (let pause = pace.pause; pause !== undefined; pause = pace.pause) await pause;
          watcher.onCommit(commit);
        }
        if (this.#waiting[0] === commit) this.#waiting.shift();
      }
    } finally {
      this.#isTelling = false;
    }
  }
}
