import type { CommittedEvent, TaskChange } from "#task-service/store/commit.js";
import type { WriteGroup, WriteReply } from "#task-service/store/write-command.js";

/** What the writer's thread is sent. */
export type WriterRequest = { readonly kind: "group"; readonly group: WriteGroup } | { readonly kind: "close" };

/** What it answers. */
export type WriterResponse =
  | { readonly kind: "ready" }
  | { readonly kind: "failed"; readonly message: string }
  | { readonly kind: "reply"; readonly reply: PackedReply };

/** A {@link WriteReply} whose event bodies lie in one buffer, which is handed over instead of copied. */
export interface PackedReply {
  readonly results: WriteReply["results"];
  readonly revision: number;
  readonly changes: readonly TaskChange[];
  readonly events: readonly Omit<CommittedEvent, "body">[];
  /** Where each event's body ends in `bodies`. */
  readonly ends: readonly number[];
  readonly bodies: ArrayBuffer;
}

/** Prepares a reply for its way between threads. */
export function packReply(reply: WriteReply): PackedReply {
  const { events, changes, revision } = reply.commit;
  const total = events.reduce((sum, event) => sum + event.body.length, 0);
  const bodies = new Uint8Array(total);
  const ends: number[] = [];
  let end = 0;
  for (const event of events) {
    bodies.set(event.body, end);
    end += event.body.length;
    ends.push(end);
  }
  const heads = events.map(({ revision: at, taskId, sequence, isTerminal }) => ({ revision: at, taskId, sequence, isTerminal }));
  return { results: reply.results, revision, changes, events: heads, ends, bodies: bodies.buffer };
}

/** The reply as it was. */
export function unpackReply(packed: PackedReply): WriteReply {
  const bodies = new Uint8Array(packed.bodies);
  const events = packed.events.map((event, index): CommittedEvent => {
    const start = index === 0 ? 0 : (packed.ends[index - 1] ?? 0);
    return { ...event, body: bodies.subarray(start, packed.ends[index]) };
  });
  return { results: packed.results, commit: { revision: packed.revision, events, changes: packed.changes } };
}
