import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { DelayedPipe, type PipeMode } from "#test/robustness/delayed-pipe.js";
import { resetSocket } from "#test/robustness/reset-socket.js";

const HOST = "127.0.0.1";
const CLEAR: PipeMode = { swallows: false, delayMs: 0 };

interface Connection {
  readonly client: Socket;
  /** Undefined: it was accepted while everything was swallowed. */
  readonly server: Socket | undefined;
  readonly pipes: readonly DelayedPipe[];
}

/**
 * A TCP proxy that can be told to misbehave: to cut connections (RST), to refuse them, to go half-open (connections stand, bytes vanish,
 * nobody is told), or to be slow. Otherwise it passes on bytes, ends and the pressure of a slow reader.
 */
export class FaultProxy {
  readonly name: string;
  readonly #server: Server;
  readonly #targetPort: () => number;
  readonly #connections = new Set<Connection>();
  #mode = CLEAR;
  #refuses = false;

  private constructor(name: string, targetPort: () => number) {
    this.name = name;
    this.#targetPort = targetPort;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
      this.#accept(client);
    });
  }

  /** Listens on a free port of the loopback interface; connections go on to `targetPort` as it is at that moment. */
  static async start(name: string, targetPort: () => number): Promise<FaultProxy> {
    const proxy = new FaultProxy(name, targetPort);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once("error", reject);
      proxy.#server.listen(0, HOST, resolve);
    });
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How many connections stand. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Resets every connection. New ones are taken. */
  cut(): void {
    for (const connection of this.#connections) destroy(connection);
  }

  /** Resets every connection, and new ones as they come, until {@link heal}. */
  refuse(): void {
    this.#refuses = true;
    this.cut();
  }

  /** Swallows whatever comes on connections old and new, until {@link heal}. */
  swallow(): void {
    this.#mode = { swallows: true, delayMs: 0 };
  }

  /** Holds back every chunk of both directions for so long, until {@link heal}. */
  slow(delayMs: number): void {
    this.#mode = { swallows: false, delayMs };
  }

  /** Passes on everything again. Connections of which something was swallowed are cut, as the network would in the end. */
  heal(): void {
    this.#mode = CLEAR;
    this.#refuses = false;
    for (const connection of this.#connections) {
      if (connection.server === undefined || connection.pipes.some(({ hasSwallowed }) => hasSwallowed))
        destroy(connection);
    }
  }

  /** Cuts everything and listens no more. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
    this.cut();
    await closed;
  }

  #accept(client: Socket): void {
    client.on("error", () => undefined);
    if (this.#refuses) {
      resetSocket(client);
      return;
    }
    if (this.#mode.swallows) {
      client.resume();
      this.#keep({ client, server: undefined, pipes: [] });
      return;
    }
    const server = connect({ port: this.#targetPort(), host: HOST, allowHalfOpen: true, noDelay: true });
    server.on("error", () => {
      resetSocket(client);
    });
    const mode = () => this.#mode;
    this.#keep({
      client,
      server,
      pipes: [new DelayedPipe(client, server, mode), new DelayedPipe(server, client, mode)],
    });
  }

  #keep(connection: Connection): void {
    this.#connections.add(connection);
    const sockets = [connection.client, connection.server].filter((socket) => socket !== undefined);
    for (const socket of sockets) {
      socket.once("close", () => {
        // While bytes vanish, so does the news that one side is gone.
        if (!this.#mode.swallows) for (const other of sockets) other.destroySoon();
        if (sockets.every(({ destroyed }) => destroyed)) this.#connections.delete(connection);
      });
    }
  }
}

function destroy({ client, server }: Connection): void {
  resetSocket(client);
  if (server !== undefined) resetSocket(server);
}
