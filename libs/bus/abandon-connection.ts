import { Socket } from "node:net";
import type { NatsConnection } from "nats";

/**
 * Lets go of a connection at once. Its own `close` first waits until the system has taken everything unsent, which never happens when the
 * other side has vanished and the send buffer is full; so the socket is destroyed.
 */
export function abandonConnection(nats: NatsConnection): void {
  const socket = socketOf(nats);
  nats.close().catch(() => undefined);
  socket?.destroy();
}

/** The client library has no public way to it; undefined where another version keeps it elsewhere. */
function socketOf(nats: NatsConnection): Socket | undefined {
  let place: unknown = nats;
  for (const name of ["protocol", "transport", "socket"])
    place = typeof place === "object" && place !== null ? Reflect.get(place, name) : undefined;
  return place instanceof Socket ? place : undefined;
}
