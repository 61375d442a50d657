/**
 * Ends the process because a database thread died: a service without its database is none, and whoever supervises it starts a whole
 * one. Thrown outside of every call, so that nothing catches it but the process's own last resort, which stops in order.
 */
export function endProcess(error: Error): void {
  setImmediate(() => {
    throw error;
  });
}
