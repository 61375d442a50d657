import type { Socket } from "node:net";

/**
 * Closes a connection with RST, or as it is where its end is being sent already: libuv does not reset such a connection, Node takes it for
 * closed, and the process never ends.
 */
export function resetSocket(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
