import type { BatchingOptions } from "#libs/client/create-batcher.js";

/** How a client is set up. */
export interface TaskwireClientOptions {
  /** Where the task-service listens; default `127.0.0.1:50051`. */
  readonly address?: string;
  /** Whether single creates that are issued together travel as batches; default true. Meaning and errors stay those of one create. */
  readonly batching?: boolean | BatchingOptions;
  /** How long one try of a call may take, in milliseconds; default 30 s. */
  readonly callTimeoutMs?: number;
  /**
   * How long calls are tried again while the service is UNAVAILABLE or the connection breaks, in milliseconds; default 30 s, 0: never. Creates carry a
   * request id, so that trying again never makes two tasks of one.
   */
  readonly retryForMs?: number;
  /**
   * Whether the client has a connection of its own; by default the clients of this process for one address share one. For thousands of watches, of
   * which a connection takes 5,000 unless configured.
   */
  readonly ownConnection?: boolean;
}
