import type { TaskStore } from "#task-service/store/task-store.js";

/** How a suite gets at one kind of store. */
export interface StoreFactory {
  /** Names the kind in test titles. */
  readonly name: string;
  /** Makes a place for a database; the suite removes it. */
  createPlace(): StorePlace;
}

/** Where one database is. */
export interface StorePlace {
  /** A store on this database, not yet started. */
  open(): TaskStore;
  /** What a process needs to open the same database. */
  readonly address: string;
  remove(): void;
}
