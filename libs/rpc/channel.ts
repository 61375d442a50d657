import { Client, credentials, Metadata, type CallOptions, type ServiceError } from "@grpc/grpc-js";
import { TaskwireError } from "#libs/errors/taskwire-error.js";
import { CoarseTimeouts } from "#libs/rpc/coarse-timeouts.js";
import { asBuffer, encodeMessage, type MessageCodec } from "#libs/rpc/message-codec.js";
import { fromServiceError, isServiceError, TRANSPORT_REASON } from "#libs/rpc/service-error.js";

/** A method as a client calls it. */
export interface ClientMethod<Request, Response> {
  /** Full name, for example `TaskServiceService.getTask.path`. */
  readonly path: string;
  readonly request: MessageCodec<Request>;
  readonly response: MessageCodec<Response>;
}

/** What may be said about one call. */
export interface ChannelCallOptions {
  /**
   * Milliseconds until the call fails with DEADLINE_EXCEEDED, at most 24 days; default: never. For a unary call of 5 s or more it is
   * kept to within half a second.
   */
  readonly timeoutMs?: number;
  /** Cancels the call. */
  readonly signal?: AbortSignal;
}

/** How a {@link Channel} is set up. */
export interface ChannelOptions {
  /** `host:port`, or any target grpc understands. */
  readonly address: string;
  /** Largest response in bytes; default 4 MiB. */
  readonly maxReceiveBytes?: number;
  /** Whether it has a connection of its own; by default the channels of this process to one address share one. */
  readonly hasOwnConnection?: boolean;
}

const KEEPALIVE_TIME_MS = 30_000;
const KEEPALIVE_TIMEOUT_MS = 20_000;
const INITIAL_RECONNECT_MS = 100;
const MAX_RECONNECT_MS = 2000;
const COARSE_FROM_MS = 5000;
const noMetadata = new Metadata();

/** A connection to a gRPC server, without TLS, opened on first use and again after a loss. */
export class Channel {
  readonly address: string;
  readonly #client: Client;
  readonly #timeouts = new CoarseTimeouts();

  constructor(options: ChannelOptions) {
    this.address = options.address;
    this.#client = new Client(options.address, credentials.createInsecure(), {
      "grpc.enable_channelz": 0,
      // Retries need to know which calls may be repeated; the client library decides that.
      "grpc.enable_retries": 0,
      "grpc.service_config_disable_resolution": 1,
      "grpc.keepalive_time_ms": KEEPALIVE_TIME_MS,
      "grpc.keepalive_timeout_ms": KEEPALIVE_TIMEOUT_MS,
      "grpc.initial_reconnect_backoff_ms": INITIAL_RECONNECT_MS,
      "grpc.min_reconnect_backoff_ms": INITIAL_RECONNECT_MS,
      "grpc.max_reconnect_backoff_ms": MAX_RECONNECT_MS,
      "grpc.use_local_subchannel_pool": options.hasOwnConnection === true ? 1 : 0,
      ...(options.maxReceiveBytes === undefined ? {} : { "grpc.max_receive_message_length": options.maxReceiveBytes }),
    });
  }

  /**
   * Calls a method that answers once.
   *
   * @param request - a message, or one that is already encoded
   * @throws TaskwireError with the server's code and reason; the signal's reason when the signal fires
   */
  unary<Request, Response>(
    method: ClientMethod<Request, Response>,
    request: Request | Uint8Array,
    options: ChannelCallOptions = {},
  ): Promise<Response> {
    const { signal, timeoutMs = 0 } = options;
    const coarse = timeoutMs >= COARSE_FROM_MS;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(abortReason(signal));
        return;
      }
      let late = false;
      const call = this.#client.makeUnaryRequest(
        method.path,
        (message: Request | Uint8Array) => serialize(method, message),
        (bytes: Buffer) => method.response.decode(bytes),
        request,
        noMetadata,
        coarse ? {} : callOptions(options),
        (error: ServiceError | null, response?: Response) => {
          stopTimeout?.();
          signal?.removeEventListener("abort", cancel);
          if (response !== undefined) resolve(response);
          else if (signal?.aborted) reject(abortReason(signal));
          else reject(late ? tooLate(timeoutMs) : failure(error, this.address));
        },
      );
      const cancel = () => call.cancel();
      const expire = () => {
        late = true;
        call.cancel();
      };
      const stopTimeout = coarse ? this.#timeouts.start(timeoutMs, expire) : undefined;
      signal?.addEventListener("abort", cancel, { once: true });
    });
  }

  /**
   * Calls a method that answers with a stream. The stream is read as fast as the caller iterates, and cancelled when the caller
   * stops early.
   *
   * @throws TaskwireError with the server's code and reason; the signal's reason when the signal fires
   */
  async *serverStream<Request, Response>(
    method: ClientMethod<Request, Response>,
    request: Request,
    options: ChannelCallOptions = {},
  ): AsyncGenerator<Response, void, undefined> {
    const { signal } = options;
    signal?.throwIfAborted();
    const call = this.#client.makeServerStreamRequest(
      method.path,
      (message: Request) => serialize(method, message),
      (bytes: Buffer) => method.response.decode(bytes),
      request,
      noMetadata,
      callOptions(options),
    );
    const cancel = () => call.cancel();
    signal?.addEventListener("abort", cancel, { once: true });
    try {
      for await (const response of call) yield response as Response;
    } catch (error) {
      throw signal?.aborted ? abortReason(signal) : failure(error, this.address);
    } finally {
      signal?.removeEventListener("abort", cancel);
      // An abandoned call fails once more, after nobody listens.
      call.on("error", () => undefined);
      call.cancel();
    }
  }

  /** Resolves when the server can be reached. @throws TaskwireError UNAVAILABLE after `timeoutMs` milliseconds */
  waitForReady(timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#client.waitForReady(Date.now() + timeoutMs, (error) => {
        if (error === undefined) resolve();
        else reject(unreachable(this.address, timeoutMs, error));
      });
    });
  }

  /** Closes the connection. Calls under way may still finish. */
  close(): void {
    this.#client.close();
  }
}

function serialize<Request, Response>(method: ClientMethod<Request, Response>, message: Request | Uint8Array): Buffer {
  return message instanceof Uint8Array ? asBuffer(message) : encodeMessage(method.request, message);
}

function callOptions({ timeoutMs }: ChannelCallOptions): CallOptions {
  return timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
}

function abortReason(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new Error("aborted", { cause: reason });
}

function failure(error: unknown, address: string): Error {
  if (!isServiceError(error)) return error instanceof Error ? error : new Error("the call failed", { cause: error });
  const known = fromServiceError(error);
  if (known.code !== "UNAVAILABLE" || known.reason !== TRANSPORT_REASON) return known;
  return new TaskwireError({
    code: "UNAVAILABLE",
    reason: TRANSPORT_REASON,
    message: `no connection to ${address}: ${known.message}`,
    metadata: { address },
    cause: error,
  });
}

function tooLate(timeoutMs: number): TaskwireError {
  return new TaskwireError({
    code: "DEADLINE_EXCEEDED",
    reason: TRANSPORT_REASON,
    message: `no answer within ${timeoutMs} ms`,
  });
}

function unreachable(address: string, timeoutMs: number, cause: Error): TaskwireError {
  return new TaskwireError({
    code: "UNAVAILABLE",
    reason: TRANSPORT_REASON,
    message: `no connection to ${address} within ${timeoutMs} ms: is the task-service running there?`,
    metadata: { address },
    cause,
  });
}
