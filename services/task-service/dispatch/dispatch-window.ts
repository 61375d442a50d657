import { randomUUID } from "node:crypto";
import type { DueTask } from "#task-service/store/task-record.js";

/** When an entry was sent that only keeps a place. */
const NOT_SENT_MS = -1;
const epoch = randomUUID().slice(0, 8);
let entries = 0;

/** A task that is in NATS or with a worker. */
export interface WindowEntry {
  readonly id: string;
  readonly queue: string;
  /** The attempt that is, or may be, with a worker. */
  attempt: number;
  /** The dispatched task until a worker has started it; then undefined. */
  due: DueTask | undefined;
  /** Tells its dispatches from those of any other entry, of this process or another, of the same task. */
  readonly token: string;
  /** How often it was dispatched before. */
  round: number;
  /** Where its dispatch is in the work stream, once JetStream has it. */
  streamSequence: number | undefined;
  /** When it was dispatched last, by the monotonic clock, milliseconds. */
  sentAtMs: number;
  /** Since when it is known not to wait in the work stream, by the monotonic clock: somebody was handed it, or it was lost. */
  goneAtMs: number | undefined;
  isCancelRequested: boolean;
}

/** An entry of which nothing is known but what is said. */
export function windowEntry(known: Pick<WindowEntry, "id" | "queue" | "attempt"> & Partial<WindowEntry>): WindowEntry {
  entries += 1;
  return {
    token: `${epoch}-${entries}`,
    due: undefined,
    round: 0,
    streamSequence: undefined,
    sentAtMs: 0,
    goneAtMs: undefined,
    isCancelRequested: false,
    ...known,
  };
}

/** Every task that is in NATS or with a worker, counted per queue. */
export class DispatchWindow {
  readonly #entries = new Map<string, WindowEntry>();
  readonly #counts = new Map<string, number>();

  get(id: string): WindowEntry | undefined {
    return this.#entries.get(id);
  }

  has(id: string): boolean {
    return this.#entries.has(id);
  }

  /** Keeps a place for a task while it is read. False: what of it is, or may be, with a worker is known already. */
  reserve(id: string, queue: string): boolean {
    if (!this.has(id)) this.add(windowEntry({ id, queue, attempt: 0, sentAtMs: NOT_SENT_MS }));
    return this.isReserved(id);
  }

  /** Whether nothing has happened to the task since {@link reserve}. */
  isReserved(id: string): boolean {
    return this.#entries.get(id)?.sentAtMs === NOT_SENT_MS;
  }

  /** How many tasks of a queue are in NATS or with a worker. */
  count(queue: string): number {
    return this.#counts.get(queue) ?? 0;
  }

  add(entry: WindowEntry): void {
    if (!this.#entries.has(entry.id)) this.#counts.set(entry.queue, this.count(entry.queue) + 1);
    this.#entries.set(entry.id, entry);
  }

  remove(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    const count = this.count(entry.queue) - 1;
    if (count > 0) this.#counts.set(entry.queue, count);
    else this.#counts.delete(entry.queue);
  }

  /** The tasks of a queue that are in NATS or with a worker, without places that are only kept. */
  of(queue: string): WindowEntry[] {
    const entries = [...this.#entries.values()];
    return entries.filter((entry) => entry.queue === queue && entry.sentAtMs !== NOT_SENT_MS);
  }

  /** All of them. */
  ids(): string[] {
    return [...this.#entries.keys()];
  }

  /** The work stream is another one: nobody knows any more where in it a dispatch is. */
  forgetStream(): void {
    for (const entry of this.#entries.values()) entry.streamSequence = undefined;
  }

  /** Dispatched tasks that no worker has started, optionally only those dispatched before `beforeMs`. */
  unstarted(beforeMs: number = Number.POSITIVE_INFINITY): WindowEntry[] {
    return [...this.#entries.values()].filter((entry) => entry.due !== undefined && entry.sentAtMs < beforeMs);
  }
}
