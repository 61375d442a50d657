import { readFileSync } from "node:fs";

const CHECK_EVERY_MS = 100;
/** Linux pages of every platform Node.js runs on with 4 KiB pages; on others the watch is too lax, never too strict. */
const PAGE_BYTES = 4096;

/** Resident memory of a process in bytes; undefined where /proc does not tell. */
export function residentBytes(pid: number): number | undefined {
  try {
    const pages = Number(readFileSync(`/proc/${pid}/statm`, "latin1").split(" ")[1]);
    return Number.isFinite(pages) ? pages * PAGE_BYTES : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Looks ten times a second at the resident memory of processes, which counts Buffers and native memory too, unlike the heap limit of
 * V8. One timer for all; none while nothing is watched. Does nothing where there is no /proc.
 */
export class MemoryWatch {
  readonly #watched = new Map<number, { readonly maxBytes: number; readonly onExceeded: () => void }>();
  #timer: NodeJS.Timeout | undefined;

  /** Calls `onExceeded` once when the process has more than `maxBytes`. Returns the way to end the watch. */
  watch(pid: number, maxBytes: number, onExceeded: () => void): () => void {
    this.#watched.set(pid, { maxBytes, onExceeded });
    this.#timer ??= setInterval(() => {
      this.#check();
    }, CHECK_EVERY_MS);
    return () => {
      this.#watched.delete(pid);
    };
  }

  #check(): void {
    for (const [pid, { maxBytes, onExceeded }] of this.#watched) {
      const bytes = residentBytes(pid);
      if (bytes === undefined || bytes <= maxBytes) continue;
      this.#watched.delete(pid);
      onExceeded();
    }
    if (this.#watched.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
