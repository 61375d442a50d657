import {
  Server,
  ServerCredentials,
  setLogger,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { errorMessage } from "#libs/errors/error-message.js";
import { TaskwireError } from "#libs/errors/taskwire-error.js";
import type { Logger } from "#libs/log/logger.js";
import type { CallListener } from "#libs/rpc/exchange.js";
import { OpenStreams } from "#libs/rpc/open-streams.js";
import { answerUnknownMethods, enrichOwnStatuses } from "#libs/rpc/own-statuses.js";
import { bindService, type GeneratedService, type ServiceImplementation } from "#libs/rpc/service-definition.js";

/** How a {@link GrpcServer} is set up. */
export interface GrpcServerOptions {
  readonly logger: Logger;
  /** Largest request in bytes; default 4 MiB. Beyond: RESOURCE_EXHAUSTED. */
  readonly maxReceiveBytes?: number;
  /** A connection on which nothing was heard for so long, in milliseconds, is asked whether it lives; default 30 s. It is closed when it has not answered in that time, or in 20 s. */
  readonly keepaliveMs?: number;
  /** Most calls at once on one connection; default 10,000. A client's further calls wait on its side. */
  readonly maxConcurrentStreams?: number;
  /** Age at which connections are renewed, in milliseconds (±10 %), so that clients spread over replicas; default never. */
  readonly maxConnectionAgeMs?: number;
  /** How long calls may go on after that, in milliseconds; default 60 s. Watches end with UNAVAILABLE then and resume. */
  readonly maxConnectionAgeGraceMs?: number;
  /** Hears of every call that has ended; default nobody. */
  readonly onCallEnded?: CallListener;
}

const KEEPALIVE_TIME_MS = 30_000;
const KEEPALIVE_TIMEOUT_MS = 20_000;
const DEFAULT_MAX_RECEIVE_BYTES = 4 * 1024 * 1024;
const DEFAULT_MAX_CONCURRENT_STREAMS = 10_000;
const DEFAULT_AGE_GRACE_MS = 60_000;

/** A gRPC server. Add services, then {@link listen}, and {@link stop} at the end. */
export class GrpcServer {
  readonly #server: Server;
  readonly #logger: Logger;
  readonly #openStreams = new OpenStreams();
  readonly #onCallEnded: CallListener;
  readonly #stoppingListeners: (() => void)[] = [];
  #address: string | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: GrpcServerOptions) {
    this.#logger = options.logger;
    this.#onCallEnded = options.onCallEnded ?? (() => undefined);
    const keepaliveMs = options.keepaliveMs ?? KEEPALIVE_TIME_MS;
    this.#server = new Server({
      "grpc.enable_channelz": 0,
      "grpc.keepalive_time_ms": keepaliveMs,
      "grpc.keepalive_timeout_ms": Math.min(keepaliveMs, KEEPALIVE_TIMEOUT_MS),
      "grpc.max_receive_message_length": options.maxReceiveBytes ?? DEFAULT_MAX_RECEIVE_BYTES,
      "grpc.max_concurrent_streams": options.maxConcurrentStreams ?? DEFAULT_MAX_CONCURRENT_STREAMS,
      ...(options.maxConnectionAgeMs === undefined
        ? {}
        : {
            "grpc.max_connection_age_ms": options.maxConnectionAgeMs,
            "grpc.max_connection_age_grace_ms": options.maxConnectionAgeGraceMs ?? DEFAULT_AGE_GRACE_MS,
          }),
    });
    setLogger(quietLog(options.logger));
    answerUnknownMethods(this.#server);
    enrichOwnStatuses();
  }

  /** How many answer streams are open. */
  get openStreamCount(): number {
    return this.#openStreams.size;
  }

  /** Serves a generated service. Every method must be implemented with {@link unary} or {@link serverStream}. */
  addService<Service extends GeneratedService>(service: Service, implementation: ServiceImplementation<Service>): void {
    const { definition, handlers } = bindService(service, implementation, {
      logger: this.#logger,
      openStreams: this.#openStreams,
      onCallEnded: this.#onCallEnded,
    });
    this.#server.addService(definition, handlers);
  }

  /** Serves a service whose handlers speak grpc-js themselves; for services inside this folder. */
  addRawService(definition: ServiceDefinition, handlers: UntypedServiceImplementation): void {
    this.#server.addService(definition, handlers);
  }

  /** Adds a listener that hears when the server begins to stop, before anything is refused. */
  onStopping(listener: () => void): void {
    this.#stoppingListeners.push(listener);
  }

  /**
   * Begins to accept calls, without TLS.
   *
   * @param host - name or address to listen on
   * @param port - 0 takes a free one
   * @returns the port
   * @throws TaskwireError FAILED_PRECONDITION (`ADDRESS_IN_USE`, `ADDRESS_UNAVAILABLE`)
   */
  listen(host: string, port: number): Promise<number> {
    const address = addressOf(host, port);
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(address, ServerCredentials.createInsecure(), (error, boundPort) => {
        if (error === null) {
          this.#address = addressOf(host, boundPort);
          resolve(boundPort);
        } else {
          reject(bindError(error, address));
        }
      });
    });
  }

  /**
   * Stops: tells the listeners of {@link onStopping}, accepts nothing new, ends all streams with UNAVAILABLE (`SERVICE_STOPPING`),
   * lets the other calls finish, and cuts what is left after the grace period.
   *
   * @param graceMs - milliseconds; default 5 s
   */
  stop(graceMs = 5000): Promise<void> {
    return (this.#stopped ??= this.#stop(graceMs));
  }

  #stop(graceMs: number): Promise<void> {
    for (const listener of this.#stoppingListeners) listener();
    return new Promise((resolve) => {
      // Says goodbye on all connections and cuts what is left of them after the grace period. forceShutdown cuts nothing: without
      // channelz it knows no connections (grpc-js 1.14).
      if (this.#address !== undefined) this.#server.drain(this.#address, graceMs);
      this.#server.tryShutdown(() => resolve());
      this.#openStreams.failAll(
        new TaskwireError({ code: "UNAVAILABLE", reason: "SERVICE_STOPPING", message: "the service stops; reconnect" }),
      );
    });
  }
}

function addressOf(host: string, port: number): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function bindError(error: Error, address: string): TaskwireError {
  const inUse = /EADDRINUSE/.test(errorMessage(error));
  return new TaskwireError({
    code: "FAILED_PRECONDITION",
    reason: inUse ? "ADDRESS_IN_USE" : "ADDRESS_UNAVAILABLE",
    message: inUse
      ? `${address} is in use by another process: stop that process, or choose another port (0 takes a free one)`
      : `cannot listen on ${address}: ${errorMessage(error)}`,
    metadata: { address },
    cause: error,
  });
}

/** What grpc-js prints would come beside the errors it also reports; it goes to the log at debug level. */
function quietLog(logger: Logger): Partial<Console> {
  const write = (...parts: unknown[]) => logger.debug({ text: parts.join(" ") }, "grpc-js");
  return { error: write, info: write, debug: write };
}
