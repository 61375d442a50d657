import fc from "fast-check";
import { ReportBatch } from "#libs/proto/gen/taskwire/bus/v1/report.js";
import type { ClaimKind } from "#libs/tasks/claim.js";
import { TaskState } from "#libs/tasks/task-state.js";
import type { NewTask } from "#task-service/store/task-record.js";
import type { WriteCommand } from "#task-service/store/write-command.js";
import type { ModelTask } from "#test/conformance/task-store/model/model-task.js";
import type { StoreModel } from "#test/conformance/task-store/model/store-model.js";
import { sampleTask } from "#test/conformance/task-store/sample-task.js";
import { claimKind } from "#test/unit/libs/tasks/random-claims.js";

/** Queues and types of the model's tasks: four lanes. */
export const QUEUES = ["default", "mail"];
export const TYPES = ["test.a", "test.b"];

/** Something done to a store. Which task, attempt or sequence it is about is settled when its turn comes. */
export type Step = (model: StoreModel) => WriteCommand;

const WORKERS = ["worker-a", "worker-b"] as const;
const LIMIT = 1000;
const NOBODY = "0199aaaa-0000-7000-8000-00000000dead";

/** Which task: mostly an unfinished one, else any, one that was deleted, or one that never was. */
const pick = fc.record({
  among: fc.oneof(
    { weight: 6, arbitrary: fc.constant("open") },
    { weight: 3, arbitrary: fc.constant("finished") },
    { weight: 1, arbitrary: fc.constant("gone") },
  ),
  nth: fc.nat(1000),
});
type Pick = typeof pick extends fc.Arbitrary<infer P> ? P : never;

function idOf(model: StoreModel, { among, nth }: Pick): string {
  const ids = [...model.tasks.values()].filter(({ isOpen }) => isOpen === (among === "open")).map((t) => t.record.id);
  const from = among === "gone" ? [...model.gone] : ids;
  return from[nth % Math.max(1, from.length)] ?? [...model.tasks.keys()][0] ?? NOBODY;
}

const retryCodes = fc.constantFrom(
  { retryable: [], permanent: ["CRASHED"] },
  { retryable: ["CRASHED", "WORKER_LOST"], permanent: [] },
);
const newTask = fc.record({
  queue: fc.constantFrom(...QUEUES),
  type: fc.constantFrom(...TYPES),
  priority: fc.integer({ min: -2, max: 2 }),
  payloadJson: fc.json({ maxDepth: 1 }),
  labelsJson: fc.constantFrom("{}", '{"team":"a","app.example/x":"y"}'),
  description: fc.string({ maxLength: 10, unit: "binary" }).map((text) => text.replaceAll("\0", "")),
  maxAttempts: fc.constantFrom(0, 0, 1, 2, 3),
  // With no first delay there is no random delay: what a store does by chance no model can foresee.
  initialDelayMs: fc.constant(0),
  maximumDelayMs: fc.constantFrom(null, 0, 500),
  multiplier: fc.constantFrom(0, 2),
  totalTimeoutMs: fc.constantFrom(null, null, null, 0, 300, 3000),
  retryCodes: fc.option(retryCodes, { nil: null, freq: 4 }),
  softTimeoutMs: fc.constantFrom(0, 10),
  hardTimeoutMs: fc.constantFrom(0, 20),
  memoryBytes: fc.constantFrom(0, 64 * 1024 * 1024 * 1024),
  requestId: fc.option(fc.constantFrom("r-1", "r-2", "r-3", "r-4"), { nil: null, freq: 2 }),
  requestHash: fc.constantFrom("h", "h", "h", "other"),
});
type NewTaskSeed = typeof newTask extends fc.Arbitrary<infer T> ? T : never;

function taskOf(seed: NewTaskSeed, delayMs: number, { clock }: StoreModel): NewTask {
  const { requestId, requestHash } = seed;
  const times = { createTimeMs: clock.nowMs, runTimeMs: clock.nowMs + delayMs };
  return sampleTask({ ...seed, ...times, requestHash: requestId === null ? null : requestHash });
}

const delayMs = fc.constantFrom(0, 0, 0, -5000, 1, 400, 3000);
const creation: fc.Arbitrary<Step> = fc
  .array(fc.tuple(newTask, delayMs), { minLength: 1, maxLength: 5 })
  .map((seeds) => (model) => ({ kind: "create", tasks: seeds.map(([seed, delay]) => taskOf(seed, delay, model)) }));

/** A batch with a task whose id another one has already: the database cannot take it. */
const brokenCreation: fc.Arbitrary<Step> = fc.tuple(newTask, newTask, pick).map(([first, second, at]) => (model) => {
  const tasks = [taskOf(first, 0, model), { ...taskOf(second, 0, model), id: idOf(model, at), requestId: null }];
  return { kind: "create", tasks };
});

const started: ClaimKind = {
  $case: "started",
  value: { maxAttempts: 0, multiplier: 0, retryableCodes: [], permanentCodes: [] },
};
const saying = fc.record({
  about: pick,
  /** Mostly what comes next; else a repeated, early, foreign or outdated report. */
  manner: fc.oneof(
    { weight: 8, arbitrary: fc.constant("next") },
    { weight: 3, arbitrary: fc.constantFrom("again", "skipping", "otherWorker", "oldAttempt", "nextAttempt") },
  ),
  worker: fc.constantFrom(...WORKERS),
  kinds: fc.oneof(
    fc.constant<ClaimKind[]>([started]),
    fc.array(claimKind, { minLength: 1, maxLength: 3 }),
    fc.array(claimKind, { minLength: 1, maxLength: 3 }).map((kinds) => [started, ...kinds]),
  ),
});
interface Saying {
  readonly about: Pick;
  readonly manner: string;
  readonly worker: string;
  readonly kinds: readonly ClaimKind[];
}

function reportsOf(model: StoreModel, { about, manner, worker, kinds }: Saying) {
  const taskId = idOf(model, about);
  const task: ModelTask | undefined = model.tasks.get(taskId);
  const { state, attempt = 0, reportNumber = 0, workerId = null } = task?.record ?? {};
  const isPending = state === TaskState.PENDING;
  const next = { attempt: isPending ? attempt + 1 : attempt, number: isPending ? 1 : reportNumber + 1 };
  const holder = isPending ? worker : (workerId ?? worker);
  if (manner === "oldAttempt") next.attempt -= 1;
  if (manner === "nextAttempt") next.attempt += 1;
  if (manner === "again") next.number = Math.max(1, reportNumber - 1);
  if (manner === "skipping") next.number += 2;
  const other = holder === WORKERS[0] ? WORKERS[1] : WORKERS[0];
  const reports = kinds.map((kind, index) => ({ taskId, ...next, number: next.number + index, kind }));
  return { workerId: manner === "otherWorker" ? other : holder, reports };
}

/** Reports of several tasks, a batch for every worker, perhaps delivered twice, perhaps with bytes that are none. */
const reporting: fc.Arbitrary<Step> = fc
  .record({
    sayings: fc.array(saying, { minLength: 1, maxLength: 4 }),
    isRepeated: fc.boolean(),
    hasGarbage: fc.constantFrom(false, false, false, true),
  })
  .map(({ sayings, isRepeated, hasGarbage }) => (model) => {
    const said = sayings.map((one) => reportsOf(model, one));
    const batches = WORKERS.flatMap((workerId) => {
      const reports = said.filter((one) => one.workerId === workerId).flatMap((one) => one.reports);
      return reports.length === 0 ? [] : [encode(workerId, reports)];
    });
    const garbage = hasGarbage ? [Uint8Array.from([0xff, 0xff])] : [];
    return { kind: "applyReports", batches: [...batches, ...garbage, ...(isRepeated ? batches : [])] };
  });

function encode(workerId: string, reports: ReturnType<typeof reportsOf>["reports"]): Uint8Array {
  return ReportBatch.encode(ReportBatch.fromPartial({ workerId, number: 1, reports: reports as never })).finish();
}

const cancelling: fc.Arbitrary<Step> = fc
  .record({
    about: pick,
    with: fc.constantFrom("any", null, "latest", "next"),
    reason: fc.constantFrom("", "enough"),
  })
  .map(({ about, with: what, reason }) => (model) => {
    const id = idOf(model, about);
    const latest = model.tasks.get(id)?.record.attempt ?? 0;
    const withWorker = what === "latest" ? latest : what === "next" ? latest + 1 : what;
    return { kind: "requestCancel", id, reason, withWorker };
  });

const reopening: fc.Arbitrary<Step> = fc
  .record({ about: pick, how: fc.constantFrom("whatever", "whatever", "right", "wrong") })
  .map(({ about, how }) => (model) => {
    const id = idOf(model, { ...about, among: about.among === "open" ? "finished" : about.among });
    const latest = model.tasks.get(id)?.record.sequence ?? 1;
    const sequence = how === "whatever" ? null : how === "right" ? latest : latest - 1;
    return { kind: "reopen", id, sequence };
  });

const losing: fc.Arbitrary<Step> = fc
  .record({
    leases: fc.array(fc.tuple(pick, fc.constantFrom(0, 0, 0, -1, 1)), { minLength: 1, maxLength: 4 }),
    poisonLosses: fc.constantFrom(1, 2, 2, 3),
  })
  .map(({ leases, poisonLosses }) => (model) => ({
    kind: "expireLeases",
    poisonLosses,
    leases: leases.map(([at, shift]) => {
      const id = idOf(model, at);
      const { attempt = 1, workerId = null } = model.tasks.get(id)?.record ?? {};
      return { id, attempt: attempt + shift, workerId: workerId ?? WORKERS[0] };
    }),
  }));

const missing: fc.Arbitrary<Step> = fc
  .tuple(fc.array(pick, { maxLength: 3 }), fc.boolean())
  .map(([some, isUntaken]) => (model) => {
    const ids = [...[...model.tasks.keys()].slice(0, 5), ...some.map((at) => idOf(model, at))];
    const attemptOf = (id: string) => model.tasks.get(id)?.record.attempt ?? 0;
    return { kind: "expireDeadlines", tasks: ids.map((id) => ({ id, attempt: attemptOf(id), isUntaken })) };
  });

/** Mostly of the attempt that is the latest one. */
const unanswered: fc.Arbitrary<Step> = fc
  .array(fc.tuple(pick, fc.constantFrom(0, 0, 0, -1, 1), fc.boolean()), { minLength: 1, maxLength: 3 })
  .map((some) => (model) => ({
    kind: "endCancels",
    tasks: some.map(([at, shift, isUntaken]) => {
      const id = idOf(model, at);
      return { id, attempt: (model.tasks.get(id)?.record.attempt ?? 0) + shift, isUntaken };
    }),
  }));

const ageMs = fc.constantFrom(0, 0, 0, 500, 5000);
/** What upkeep does: it searches the database for what has to be done. */
export const upkeep: fc.Arbitrary<Step> = fc.oneof(
  fc
    .record({ age: ageMs, spares: fc.array(pick, { maxLength: 2 }), areUntaken: fc.boolean() })
    .map(({ age, spares, areUntaken }): Step => (model) => {
      const spared = spares.map((at) => idOf(model, at));
      return { kind: "endOldCancels", beforeMs: model.clock.nowMs - age, limit: LIMIT, spared, areUntaken };
    }),
  ageMs.map((age): Step => ({ clock }) => ({ kind: "deleteFinished", beforeMs: clock.nowMs - age, limit: LIMIT })),
  fc.constant<Step>(() => ({ kind: "makeDue", limit: LIMIT })),
  fc.constant<Step>(() => ({ kind: "probe" })),
);

/** One thing done to a store. */
export const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: creation },
  { weight: 1, arbitrary: brokenCreation },
  { weight: 12, arbitrary: reporting },
  { weight: 3, arbitrary: cancelling },
  { weight: 4, arbitrary: reopening },
  { weight: 3, arbitrary: losing },
  { weight: 2, arbitrary: missing },
  { weight: 2, arbitrary: unanswered },
  { weight: 4, arbitrary: upkeep },
);
