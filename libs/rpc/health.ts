import { TaskwireError } from "#libs/errors/taskwire-error.js";
import {
  HealthCheckRequest,
  HealthCheckResponse,
  HealthCheckResponse_ServingStatus as ServingStatus,
  HealthListRequest,
  HealthListResponse,
  HealthService,
} from "#libs/proto/gen/grpc/health/v1/health.js";
import type { GrpcServer } from "#libs/rpc/grpc-server.js";
import { serverStream, unary } from "#libs/rpc/service-definition.js";
import type { StreamCall } from "#libs/rpc/stream-call.js";

/** Serves grpc.health.v1: the status of the server as a whole (the empty name) and of each service. */
export class Health {
  readonly #serving = new Map<string, boolean>();
  readonly #watches = new Map<string, Set<() => void>>();

  /**
   * @param services - full names of the services; all of them and the server as a whole begin as not serving, and end so when the
   * server stops
   */
  constructor(server: GrpcServer, services: readonly string[]) {
    for (const service of ["", ...services]) this.#serving.set(service, false);
    server.onStopping(() => this.setAll(false));
    server.addService(HealthService, {
      check: unary(HealthCheckRequest, HealthCheckResponse, ({ service }) => this.#check(service)),
      list: unary(HealthListRequest, HealthListResponse, () => this.#list()),
      watch: serverStream(HealthCheckRequest, HealthCheckResponse, ({ service }, call) => this.#watch(service, call)),
    });
  }

  /** Says whether a service serves. Watches hear of it when it is news. */
  set(service: string, serving: boolean): void {
    if (this.#serving.get(service) === serving) return;
    this.#serving.set(service, serving);
    for (const notify of this.#watches.get(service) ?? []) notify();
  }

  /** Says it of all services and of the server as a whole. */
  setAll(serving: boolean): void {
    for (const service of this.#serving.keys()) this.set(service, serving);
  }

  #status(service: string): ServingStatus {
    const serving = this.#serving.get(service);
    if (serving === undefined) return ServingStatus.SERVICE_UNKNOWN;
    return serving ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
  }

  #check(service: string): HealthCheckResponse {
    if (!this.#serving.has(service)) {
      throw new TaskwireError({
        code: "NOT_FOUND",
        reason: "SERVICE_UNKNOWN",
        message: `there is no service ${service}`,
        metadata: { service },
      });
    }
    return { status: this.#status(service) };
  }

  #list(): HealthListResponse {
    const statuses: HealthListResponse["statuses"] = {};
    for (const service of this.#serving.keys()) statuses[service] = { status: this.#status(service) };
    return { statuses };
  }

  /** Subscribes before it reads. To a client that does not read only the latest status is kept. */
  #watch(service: string, call: StreamCall<HealthCheckResponse>): void {
    let sent: ServingStatus | undefined;
    let room = true;
    const notify = () => {
      const status = this.#status(service);
      if (!room || status === sent) return;
      sent = status;
      room = call.write({ status });
    };
    const watches = this.#watches.get(service) ?? new Set();
    this.#watches.set(service, watches.add(notify));
    call.onDrain(() => {
      room = true;
      notify();
    });
    call.onClosed(() => {
      watches.delete(notify);
      if (watches.size === 0 && this.#watches.get(service) === watches) this.#watches.delete(service);
    });
    notify();
  }
}
