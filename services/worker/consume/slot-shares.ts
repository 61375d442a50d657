/** How many tasks a queue was asked for and has not delivered yet. */
export interface QueueDemand {
  readonly outstanding: number;
  /** Whether it delivered something lately. */
  readonly isLively: boolean;
}

/**
 * How many more tasks to ask each queue for. All outstanding requests together take the free slots; queues that delivered lately come
 * first. A queue never stays without a request while a slot is free, even if quiet queues hold requests for all of them; such a
 * delivery may find every slot taken by then and goes back.
 */
export function slotShares(freeSlots: number, queues: readonly QueueDemand[]): number[] {
  const shares: number[] = queues.map(({ outstanding }) => (freeSlots > 0 && outstanding === 0 ? 1 : 0));
  let rest = freeSlots - queues.reduce((sum, queue, index) => sum + queue.outstanding + (shares[index] ?? 0), 0);
  const lively = queues.flatMap((queue, index) => (queue.isLively ? [index] : []));
  const takers = lively.length > 0 ? lively : queues.map((_queue, index) => index);
  for (const [position, index] of takers.entries()) {
    const part = Math.ceil(Math.max(0, rest) / (takers.length - position));
    shares[index] = (shares[index] ?? 0) + part;
    rest -= part;
  }
  return shares;
}
