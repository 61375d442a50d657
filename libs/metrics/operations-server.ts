import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { TaskwireError } from "#libs/errors/taskwire-error.js";
import type { Logger } from "#libs/log/logger.js";
import type { MetricSet } from "#libs/metrics/metric-set.js";

/** Whether a process can do its work, and how its parts are. */
export interface Readiness {
  readonly isReady: boolean;
  /** For people and dashboards: `{ database: "writable", nats: "away" }`. */
  readonly parts: Readonly<Record<string, string>>;
}

/** What an {@link OperationsServer} tells. */
export interface OperationsOptions {
  readonly metrics: MetricSet;
  readonly readiness: () => Readiness;
  readonly logger: Logger;
}

/** A port that says: none. */
export const HTTP_OFF = -1;

const MAX_CONNECTIONS = 100;
const MAX_IDLE_MS = 5000;
const REQUEST_TIMEOUT_MS = 10_000;

/**
 * The HTTP port for those who operate a process: `/livez` (200 while the event loop turns), `/readyz` (200 or 503, with the parts as
 * JSON) and `/metrics` (Prometheus text). At most 100 connections; request bodies are not read.
 */
export class OperationsServer {
  readonly #options: OperationsOptions;
  readonly #server: Server;

  constructor(options: OperationsOptions) {
    this.#options = options;
    this.#server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS, keepAliveTimeout: MAX_IDLE_MS });
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.on("request", (request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        options.logger.error({ err: error, path: request.url }, "http request failed");
        if (!response.headersSent) send(response, 500, "text/plain", "internal error\n");
      });
    });
  }

  /**
   * Begins to answer.
   *
   * @param host - name or address to listen on
   * @param port - 0 takes a free one, {@link HTTP_OFF} does nothing
   * @returns the port; {@link HTTP_OFF} when it is off
   * @throws TaskwireError FAILED_PRECONDITION (`ADDRESS_IN_USE`, `ADDRESS_UNAVAILABLE`)
   */
  async listen(host: string, port: number): Promise<number> {
    if (port === HTTP_OFF) return HTTP_OFF;
    this.#options.metrics.addProcessMetrics();
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", (error: NodeJS.ErrnoException) => {
        reject(listenError(error, `${host}:${port}`));
      });
      this.#server.listen(port, host, resolve);
    });
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ends all connections. May be called before {@link listen}, and more than once. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.setHeader("Allow", "GET, HEAD");
      send(response, 405, "text/plain", "only GET and HEAD\n");
      return;
    }
    switch (request.url?.split("?")[0]) {
      case "/livez":
        send(response, 200, "text/plain", "alive\n");
        return;
      case "/readyz": {
        const { isReady, parts } = this.#options.readiness();
        send(response, isReady ? 200 : 503, "application/json", `${JSON.stringify({ ready: isReady, ...parts })}\n`);
        return;
      }
      case "/metrics":
        send(response, 200, this.#options.metrics.contentType, await this.#options.metrics.text());
        return;
      default:
        send(response, 404, "text/plain", "there are /livez, /readyz and /metrics\n");
    }
  }
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { "Content-Type": type, "Cache-Control": "no-store" }).end(body);
}

function listenError(error: NodeJS.ErrnoException, address: string): TaskwireError {
  const inUse = error.code === "EADDRINUSE";
  return new TaskwireError({
    code: "FAILED_PRECONDITION",
    reason: inUse ? "ADDRESS_IN_USE" : "ADDRESS_UNAVAILABLE",
    message: inUse
      ? `${address} is in use by another process: stop that process, or set TASKWIRE_HTTP_PORT to another port (0 takes a free one, -1 none)`
      : `cannot listen on ${address}: ${error.message}`,
    metadata: { address },
    cause: error,
  });
}
