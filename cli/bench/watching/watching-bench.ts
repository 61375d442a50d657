import { TaskwireClient } from "#libs/client/taskwire-client.js";
import type { NewTask } from "#libs/client/run-options.js";
import type { Figures } from "#cli/bench/scenario.js";
import type { LocalStack } from "#cli/local-stack.js";

/** What a case of `taskwire bench --watch` works with. */
export interface WatchingBench {
  readonly stack: LocalStack;
  /** Its own connection; creates and reads. */
  readonly client: TaskwireClient;
  /** Clients for watches, each with a connection of its own. */
  readonly watchers: readonly TaskwireClient[];
  /** Share of the usual size. */
  readonly scale: number;
}

/** One thing that is measured about watching. */
export interface WatchingCase {
  readonly name: string;
  readonly about: string;
  readonly run: (bench: WatchingBench) => Promise<Figures>;
}

const CONNECTIONS = 8;
const BATCH = 1000;

/** Clients that do not share a connection. */
export function connections(address: string): TaskwireClient[] {
  return Array.from({ length: CONNECTIONS }, () => new TaskwireClient({ address, ownConnection: true }));
}

/** The client whose connection the watch with this number goes over. */
export function clientOf({ watchers }: WatchingBench, number: number): TaskwireClient {
  const client = watchers[number % watchers.length];
  if (client === undefined) throw new Error("there are no connections");
  return client;
}

/** Creates many tasks, batch by batch, and returns their ids. */
export async function createAll(client: TaskwireClient, count: number, task: NewTask): Promise<string[]> {
  const ids: string[] = [];
  while (ids.length < count) {
    const size = Math.min(BATCH, count - ids.length);
    const made = await client.createMany(Array.from({ length: size }, () => task));
    ids.push(...made.map(({ id }) => id));
  }
  return ids;
}
