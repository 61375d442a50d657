import type { TaskStore } from "#task-service/store/task-store.js";

/** How a suite gets at one kind of store. */
export interface StoreFactory {
  /** Names the kind in test titles. */
  readonly name: string;
  /**
   * Makes a place for a database; the suite removes it. `queueCapacity`: most unfinished tasks of one queue, default 1,000,000. `webhookQueue`:
   * the queue of deliveries, default that of the task that ended.
   */
  createPlace(options?: { readonly queueCapacity?: number; readonly webhookQueue?: string }): StorePlace;
}

/** Where one database is. */
export interface StorePlace {
  /** A store on this database, not yet started. */
  open(): TaskStore;
  /** What a process needs to open the same database. */
  readonly address: string;
  remove(): void;
}
