import { expect } from "chai";
import fc from "fast-check";
import { packGroup, packReply, unpackGroup, unpackReply } from "#task-service/store/sqlite/writer-protocol.js";
import type { WriteCommand, WriteGroup, WriteReply } from "#task-service/store/write-command.js";

const RUNS = { numRuns: 300 };
const text = fc.string({ maxLength: 20, unit: "grapheme" });
const whole = fc.maxSafeNat();
const orNull = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });

const newTask = fc.record({
  id: fc.uuid(),
  type: text,
  queue: text,
  priority: fc.integer(),
  payloadJson: fc.json(),
  labelsJson: fc.json(),
  description: text,
  maxAttempts: fc.nat(),
  initialDelayMs: orNull(whole),
  maximumDelayMs: orNull(whole),
  multiplier: fc.double({ noNaN: true }),
  totalTimeoutMs: orNull(whole),
  retryCodes: orNull(fc.record({ retryable: fc.array(text), permanent: fc.array(text) })),
  createTimeMs: whole,
  runTimeMs: whole,
  softTimeoutMs: whole,
  hardTimeoutMs: whole,
  memoryBytes: whole,
  unwatchedCancelMs: orNull(whole),
  webhookJson: orNull(text),
  requestId: orNull(text),
  requestHash: orNull(text),
});

const command: fc.Arbitrary<WriteCommand> = fc.oneof(
  fc.record({ kind: fc.constant("create" as const), tasks: fc.array(newTask, { maxLength: 5 }) }),
  fc.record({
    kind: fc.constant("create" as const),
    tasks: fc.array(newTask, { maxLength: 5 }),
    mustExist: fc.constant(true as const),
  }),
  fc.record({ kind: fc.constant("applyReports" as const), batches: fc.array(fc.uint8Array({ maxLength: 20 })) }),
  fc.record({
    kind: fc.constant("requestCancel" as const),
    id: fc.uuid(),
    reason: text,
    withWorker: fc.oneof(fc.constantFrom("any" as const, null), fc.nat()),
  }),
  fc.record({ kind: fc.constant("reopen" as const), id: fc.uuid(), sequence: orNull(whole) }),
  fc.record({
    kind: fc.constant("expireDeadlines" as const),
    tasks: fc.array(fc.record({ id: fc.uuid(), attempt: whole, isUntaken: fc.boolean() })),
  }),
  fc.record({ kind: fc.constant("makeDue" as const), limit: whole }),
);
const group: fc.Arbitrary<WriteGroup> = fc.record({ commands: fc.array(command, { maxLength: 8 }), nowMs: whole });

const event = fc.record({
  revision: whole,
  taskId: fc.uuid(),
  sequence: whole,
  isTerminal: fc.boolean(),
  body: fc.uint8Array({ maxLength: 40 }),
  before: fc.record({ timeMs: whole, state: fc.nat(5), attempt: fc.nat() }),
});
const change = fc.record({
  id: fc.uuid(),
  key: whole,
  queue: text,
  type: text,
  priority: fc.integer(),
  labelsJson: text,
  runTimeMs: whole,
  isWaiting: fc.boolean(),
  state: fc.constantFrom(1, 2, 3, 4, 5),
  attempt: fc.nat(),
  workerId: orNull(text),
  isCancelRequested: fc.boolean(),
  cancelReason: text,
});
const counts = fc.array(fc.oneof(fc.nat(), text));
const reply: fc.Arbitrary<WriteReply> = fc.record({
  results: fc.array(
    fc.oneof(
      fc.record({ ok: fc.constant(true as const), value: fc.dictionary(text, fc.nat()) }),
      fc.record({
        ok: fc.constant(false as const),
        trouble: fc.constantFrom("DATABASE_FULL" as const, "DATABASE_UNAVAILABLE" as const),
        message: text,
        refusal: fc.constant(undefined),
      }),
    ),
  ),
  commit: fc.record({ revision: whole, events: fc.array(event), changes: fc.array(change), counts: fc.array(counts) }),
});

/** As a thread gets what another one posts. */
function posted<T>(message: T, transfer: readonly ArrayBuffer[] = []): T {
  return structuredClone(message, { transfer: [...transfer] });
}

describe("What travels to the writer's thread and back", () => {
  it("arrives there as the group of commands it was", () => {
    fc.assert(
      fc.property(group, (sent) => {
        expect(unpackGroup(posted(packGroup(sent)))).to.deep.equal(sent);
      }),
      RUNS,
    );
  });

  it("comes back as the reply it was, with every event's own bytes", () => {
    fc.assert(
      fc.property(reply, (sent) => {
        const packed = packReply(sent);
        expect(unpackReply(posted(packed, [packed.bodies]))).to.deep.equal(sent);
      }),
      RUNS,
    );
  });
});
