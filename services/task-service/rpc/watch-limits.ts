import { TaskwireError } from "#libs/errors/taskwire-error.js";
import type { StreamCall } from "#libs/rpc/stream-call.js";

/** How many watch streams there may be. */
export interface WatchLimitOptions {
  readonly maxWatches: number;
  readonly maxWatchesPerConnection: number;
}

const RETRY_AFTER_MS = 5000;

/** Counts watch streams, and refuses those that are too many. */
export class WatchLimits {
  readonly #options: WatchLimitOptions;
  readonly #byPeer = new Map<string, number>();
  #count = 0;

  constructor(options: WatchLimitOptions) {
    this.#options = options;
  }

  /** Counts a stream until it is closed. Throws RESOURCE_EXHAUSTED (`TOO_MANY_WATCHES`) when there are too many, on its connection or in all. */
  admit(call: Pick<StreamCall<unknown>, "peer" | "onClosed">): void {
    const { maxWatches, maxWatchesPerConnection } = this.#options;
    const { peer } = call;
    const onConnection = this.#byPeer.get(peer) ?? 0;
    if (onConnection >= maxWatchesPerConnection) throw tooMany("this connection", maxWatchesPerConnection);
    if (this.#count >= maxWatches) throw tooMany("this service", maxWatches);
    this.#byPeer.set(peer, onConnection + 1);
    this.#count += 1;
    call.onClosed(() => {
      this.#count -= 1;
      const left = (this.#byPeer.get(peer) ?? 1) - 1;
      if (left === 0) this.#byPeer.delete(peer);
      else this.#byPeer.set(peer, left);
    });
  }
}

function tooMany(where: string, limit: number): TaskwireError {
  return new TaskwireError({
    code: "RESOURCE_EXHAUSTED",
    reason: "TOO_MANY_WATCHES",
    message: `${where} has ${limit} watch streams already; close some, or watch many tasks over one stream with WatchTasks`,
    metadata: { limit: String(limit) },
    retryAfterMs: RETRY_AFTER_MS,
  });
}
