/** What this thread's event loop has to wait for (timers, sockets, files, child processes, …): how many of each kind. */
type ActiveResources = ReadonlyMap<string, number>;

/** Counts them. Not seen: unreferenced timers, and work of the thread pool that is neither file nor name look-up (crypto, zlib). */
export function activeResources(): ActiveResources {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

/** Whether there are more of any kind than before, after a turn of the event loop, in which what was closed goes. */
export async function hasMoreThan(before: ActiveResources): Promise<boolean> {
  await new Promise((resolve) => setImmediate(resolve));
  return [...activeResources()].some(([kind, count]) => count > (before.get(kind) ?? 0));
}
