import { ReportBatch } from "#libs/proto/gen/taskwire/bus/v1/report.js";
import { TaskState } from "#libs/tasks/task-state.js";
import type { ModelEvent } from "#test/conformance/task-store/model/model-event.js";
import { ModelTask } from "#test/conformance/task-store/model/model-task.js";
import type { FakeClock } from "#test/conformance/task-store/model/fake-clock.js";
import type { NewTask } from "#task-service/store/task-record.js";
import type { WriteCommand } from "#task-service/store/write-command.js";

type Command<K extends WriteCommand["kind"]> = Extract<WriteCommand, { kind: K }>;

/** The answer of a command that the database cannot take. */
export const REJECTED = "rejected";

/** What a command must bring about. */
export interface Expectation {
  /** What it answers; {@link REJECTED}: it fails, and nothing happens. */
  readonly answer: unknown;
  /** Its events. */
  readonly events: readonly ModelEvent[];
  /** Whether its events come in this order; if not, only those of one task do. */
  readonly isOrdered: boolean;
  /** Tasks that listeners are told of although they have no new event. */
  readonly madeDue: readonly string[];
}

/** A whole store in plain objects. It knows one moment at a time: its clock stands still while commands run. */
export class StoreModel {
  readonly tasks = new Map<string, ModelTask>();
  /** Ids of tasks that were deleted. */
  readonly gone = new Set<string>();
  readonly clock: FakeClock;
  readonly capacity: number;
  lastRevision = 0;
  #lastKey = 0;
  #fresh: ModelEvent[] = [];

  constructor(clock: FakeClock, capacity: number) {
    this.clock = clock;
    this.capacity = capacity;
  }

  /** Applies a command. */
  apply(command: WriteCommand): Expectation {
    this.#fresh = [];
    const madeDue = command.kind === "makeDue" ? this.#waiting().filter((task) => this.#isTime(task)) : [];
    const answer = this.#answer(command);
    const isOrdered = command.kind !== "endOldCancels";
    return { answer, events: this.#fresh, isOrdered, madeDue: madeDue.map(({ record }) => record.id) };
  }

  countOpen(queue: string): number {
    return [...this.tasks.values()].filter((task) => task.isOpen && task.record.queue === queue).length;
  }

  countRunning(queue: string): number {
    const isRunning = ({ record }: ModelTask) => record.state === TaskState.RUNNING && record.queue === queue;
    return [...this.tasks.values()].filter(isRunning).length;
  }

  #answer(command: WriteCommand): unknown {
    const { nowMs } = this.clock;
    switch (command.kind) {
      case "create":
        return this.#create(command);
      case "applyReports":
        return this.#report(command);
      case "requestCancel": {
        const task = this.tasks.get(command.id);
        if (task === undefined) return { verdict: "notFound", id: null };
        return { verdict: task.cancel(command.reason, command.withWorker, nowMs), id: command.id };
      }
      case "reopen":
        return { verdict: this.#reopen(command), id: this.tasks.has(command.id) ? command.id : null };
      case "expireLeases": {
        const { leases, poisonLosses } = command;
        const lost = leases.filter((lease) => this.tasks.get(lease.id)?.loseWorker(lease, poisonLosses, nowMs));
        return { expired: lost.length };
      }
      case "expireDeadlines":
        return {
          expired: command.tasks.filter(({ id, attempt, isUntaken }) => {
            const task = this.tasks.get(id);
            return task?.record.attempt === attempt && task.missDeadline(isUntaken, nowMs);
          }).length,
        };
      case "endCancels":
        return { count: command.tasks.filter((task) => this.#endCancel(task)).length };
      case "endOldCancels":
        return this.#endOldCancels(command);
      case "makeDue":
        return this.#makeDue();
      case "deleteFinished":
        return this.#delete(command);
      case "probe":
        return {};
    }
  }

  #create({ tasks }: Command<"create">): unknown {
    const seen = new Set<string>();
    const fresh: NewTask[] = [];
    const existing: (string | null)[] = [];
    for (const [index, task] of tasks.entries()) {
      const { requestId } = task;
      const same = requestId === null ? undefined : this.#byRequestId(requestId);
      if ((requestId !== null && seen.has(requestId)) || (same !== undefined && same.requestHash !== task.requestHash))
        return { kind: "requestIdReused", index };
      if (requestId !== null) seen.add(requestId);
      existing.push(same?.record.id ?? null);
      if (same === undefined) fresh.push(task);
    }
    for (const queue of new Set(fresh.map((task) => task.queue))) {
      const asked = fresh.filter((task) => task.queue === queue).length;
      if (this.countOpen(queue) + asked > this.capacity) return { kind: "queueFull", queue };
    }
    const ids = fresh.map(({ id }) => id);
    if (new Set(ids).size < ids.length || ids.some((id) => this.tasks.has(id))) return REJECTED;
    const firstKey = this.#lastKey + 1;
    for (const task of fresh) {
      this.#lastKey += 1;
      const onEvent = (event: ModelEvent) => this.#fresh.push(event);
      this.gone.delete(task.id);
      this.tasks.set(task.id, new ModelTask(task, this.#lastKey, this.clock.nowMs, onEvent));
    }
    return { kind: "created", existing, firstKey };
  }

  #report({ batches }: Command<"applyReports">): unknown {
    const stale: unknown[] = [];
    let undecodable = 0;
    for (const bytes of batches) {
      let batch: ReportBatch;
      try {
        batch = ReportBatch.decode(bytes);
      } catch {
        undecodable += 1;
        continue;
      }
      const { workerId } = batch;
      for (const { taskId, attempt, number, kind } of batch.reports) {
        if (kind === undefined) continue;
        const by = { workerId, attempt, number };
        const verdict = this.tasks.get(taskId)?.hear(by, kind, this.clock.nowMs) ?? "stale";
        if (verdict === "stale") stale.push({ taskId, attempt, workerId });
      }
    }
    return { stale, undecodable, locked: [], damaged: 0 };
  }

  #reopen({ id, sequence }: Command<"reopen">): string {
    const task = this.tasks.get(id);
    if (task === undefined) return "notFound";
    const { state, queue } = task.record;
    if (sequence !== null && sequence !== task.record.sequence) return "changed";
    if (task.isOpen) return "notFinished";
    if (state === TaskState.COMPLETED) return "completed";
    if (this.countOpen(queue) >= this.capacity) return "queueFull";
    task.reopen(this.clock.nowMs);
    return "reopened";
  }

  #endCancel({ id, attempt, isUntaken }: Command<"endCancels">["tasks"][number]): boolean {
    const task = this.tasks.get(id);
    return task?.record.attempt === attempt && task.endCancel(isUntaken, this.clock.nowMs);
  }

  #endOldCancels({ beforeMs, spared, areUntaken }: Command<"endOldCancels">): unknown {
    const old = [...this.tasks.values()].filter(({ record }) => {
      const { id, state, cancelRequestTimeMs } = record;
      const isOld = state === TaskState.PENDING && cancelRequestTimeMs !== null && cancelRequestTimeMs < beforeMs;
      return isOld && !spared.includes(id);
    });
    for (const task of old) task.endCancel(areUntaken, this.clock.nowMs);
    return { count: old.length };
  }

  #makeDue(): unknown {
    const due = this.#waiting().filter((task) => this.#isTime(task));
    for (const task of due) task.isWaiting = false;
    const next = this.#waiting().map(({ record }) => record.runTimeMs);
    return { count: due.length, nextRunTimeMs: next.length === 0 ? null : Math.min(...next) };
  }

  #delete({ beforeMs }: Command<"deleteFinished">): unknown {
    const old = [...this.tasks.values()].filter((task) => !task.isOpen && task.record.updateTimeMs < beforeMs);
    for (const { record } of old) {
      this.tasks.delete(record.id);
      this.gone.add(record.id);
    }
    return { count: old.length };
  }

  #waiting(): ModelTask[] {
    return [...this.tasks.values()].filter(({ isWaiting }) => isWaiting);
  }

  #isTime({ record }: ModelTask): boolean {
    return record.runTimeMs <= this.clock.nowMs;
  }

  #byRequestId(requestId: string): ModelTask | undefined {
    return [...this.tasks.values()].find((task) => task.requestId === requestId);
  }
}
