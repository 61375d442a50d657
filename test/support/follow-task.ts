import { expect } from "chai";
import type { Task, TaskEvent, TaskwireClient } from "#libs/client/taskwire-client.js";

/** A kind of event, for example `started`. */
export type EventKind = Kind["$case"];
type Kind = NonNullable<TaskEvent["kind"]>;
type Values = { readonly [One in Kind as One["$case"]]: One["value"] };

const DEFAULT_TIMEOUT_MS = 30_000;

/** Every event of a task from the first to the terminal one, as its watch stream tells them. Fails after `timeoutMs`. */
export async function historyOf(
  client: TaskwireClient,
  id: string,
  timeoutMs = DEFAULT_TIMEOUT_MS,
): Promise<TaskEvent[]> {
  const events: TaskEvent[] = [];
  const signal = AbortSignal.timeout(timeoutMs);
  for await (const frame of client.watch(id, { afterSequence: 0, signal })) {
    if (frame.kind === "event") events.push(frame.event);
  }
  return events;
}

/** The events of a task until now. */
export async function eventsSoFar(client: TaskwireClient, id: string): Promise<TaskEvent[]> {
  const { sequence } = await client.get(id);
  const events: TaskEvent[] = [];
  for await (const frame of client.watch(id, { afterSequence: 0 })) {
    if (frame.kind === "event") events.push(frame.event);
    if (events.length >= sequence) break;
  }
  return events;
}

/** The task as it stands after its terminal event. Fails after `timeoutMs`. */
export async function endOf(client: TaskwireClient, id: string, timeoutMs = DEFAULT_TIMEOUT_MS): Promise<Task> {
  await historyOf(client, id, timeoutMs);
  return client.get(id);
}

/** Waits for the first event of a kind and returns it with its value. Fails after `timeoutMs`, or when the task ends without one. */
export async function eventOf<K extends EventKind>(
  client: TaskwireClient,
  id: string,
  kind: K,
  timeoutMs = DEFAULT_TIMEOUT_MS,
): Promise<{ readonly event: TaskEvent; readonly value: Values[K] }> {
  const signal = AbortSignal.timeout(timeoutMs);
  for await (const frame of client.watch(id, { afterSequence: 0, signal })) {
    const value = frame.kind === "event" ? valueOf(frame.event, kind) : undefined;
    if (frame.kind === "event" && value !== undefined) return { event: frame.event, value };
  }
  throw new Error(`task ${id} ended without an event of kind ${kind}`);
}

/** The values of the events of a kind, in order. */
export function valuesOf<K extends EventKind>(events: readonly TaskEvent[], kind: K): Values[K][] {
  const values: Values[K][] = [];
  for (const event of events) {
    const value = valueOf(event, kind);
    if (value !== undefined) values.push(value);
  }
  return values;
}

/** The kinds of events, in order. */
export function kindsOf(events: readonly TaskEvent[]): (EventKind | undefined)[] {
  return events.map(({ kind }) => kind?.$case);
}

/** Expects a whole history: sequences 1, 2, 3, … without a gap or a repetition, rising revisions, and nothing after the terminal event. */
export function expectWholeHistory(events: readonly TaskEvent[]): void {
  expect(events.map(({ sequence }) => sequence)).to.deep.equal(events.map((_event, index) => index + 1));
  const revisions = events.map(({ revision }) => revision);
  expect(revisions).to.deep.equal([...new Set(revisions)].sort((a, b) => a - b));
  const terminal = events.filter(({ kind }) => ["completed", "failed", "cancelled"].includes(kind?.$case ?? ""));
  expect(terminal).to.deep.equal(events.slice(-1));
}

function valueOf<K extends EventKind>({ kind }: TaskEvent, wanted: K): Values[K] | undefined {
  return kind?.$case === wanted ? (kind.value as Values[K]) : undefined;
}
