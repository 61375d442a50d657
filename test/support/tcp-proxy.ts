import { createConnection, createServer, type AddressInfo, type Socket } from "node:net";

/** A TCP proxy on a free port of this machine that can go silent, as a network does that loses every packet. */
export class TcpProxy {
  readonly #targetPort: number;
  readonly #server = createServer((client) => {
    this.#accept(client);
  });
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #isSilent = false;
  #accepted = 0;

  constructor(targetPort: number) {
    this.#targetPort = targetPort;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections that came and are still open. */
  get open(): number {
    return this.#pairs.size;
  }

  /** Connections that ever came. */
  get accepted(): number {
    return this.#accepted;
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.cut();
    await closed;
  }

  /** From now on nothing comes through, on old connections or new ones; nobody is told. */
  silence(): void {
    this.#isSilent = true;
    for (const pair of this.#pairs) for (const socket of pair) socket.pause();
  }

  /** New connections work again. The old ones stay silent: what they had under way is lost. */
  speak(): void {
    this.#isSilent = false;
  }

  /** Ends every connection at once. */
  cut(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
  }

  #accept(client: Socket): void {
    this.#accepted += 1;
    const target = createConnection(this.#targetPort, "127.0.0.1");
    const pair = [client, target] as const;
    this.#pairs.add(pair);
    for (const [from, to] of [
      [client, target],
      [target, client],
    ] as const) {
      from.on("data", (data) => to.write(data));
      from.on("error", () => undefined);
      from.on("close", () => {
        to.destroy();
        this.#pairs.delete(pair);
      });
      if (this.#isSilent) from.pause();
    }
  }
}
