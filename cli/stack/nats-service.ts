import { rm } from "node:fs/promises";
import { startNatsServer, type NatsServer, type NatsServerOptions } from "#libs/nats-server/start-nats-server.js";

/** The nats-server of a local stack, which can be killed, wiped and started again on the same port. */
export class NatsService {
  readonly port: number;
  readonly url: string;
  readonly #options: NatsServerOptions;
  readonly #onUnexpectedExit: (how: string) => void;
  #server: NatsServer;
  #expected = false;

  constructor(server: NatsServer, options: NatsServerOptions, onUnexpectedExit: (how: string) => void) {
    this.#server = server;
    this.#options = options;
    this.#onUnexpectedExit = onUnexpectedExit;
    this.port = server.port;
    this.url = server.url;
    this.#watch(server);
  }

  get pid(): number {
    return this.#server.pid;
  }

  /** Ends it in order. May be called more than once. */
  stop(): Promise<void> {
    this.#expected = true;
    return this.#server.stop();
  }

  /** Ends it at once (SIGKILL). */
  kill(): Promise<void> {
    this.#expected = true;
    return this.#server.kill();
  }

  /**
   * Kills it and starts it again on the same port; `wipe` deletes everything that JetStream had stored. `binary`: another nats-server, by
   * default the usual one.
   */
  async restart(options: { wipe?: boolean; binary?: string } = {}): Promise<void> {
    await this.kill();
    if (options.wipe === true) await rm(this.#options.storeDir, { recursive: true, force: true });
    const { binary } = options;
    this.#server = await startNatsServer({
      ...this.#options,
      port: this.port,
      ...(binary === undefined ? {} : { binary }),
    });
    this.#expected = false;
    this.#watch(this.#server);
  }

  #watch(server: NatsServer): void {
    void server.exited.then((how) => {
      if (server === this.#server && !this.#expected) this.#onUnexpectedExit(how);
    });
  }
}
