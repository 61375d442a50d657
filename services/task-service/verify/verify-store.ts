import { TaskEvent } from "#libs/proto/gen/taskwire/v1/task_event.js";
import type { TaskRecord } from "#task-service/store/task-record.js";
import type { StoredEvent, StoredHistory, VerificationSource } from "#task-service/store/verification-source.js";
import { compareTask } from "#task-service/verify/compare-task.js";
import type { Finding, FindingKind } from "#task-service/verify/finding.js";
import type { Unsealer } from "#task-service/verify/unsealer.js";
import { TaskReplay } from "#task-service/verify/task-replay.js";

/** How a store is verified. */
export interface VerifyOptions {
  /** Whether the file's own check leaves out what takes long: whether indexes and tables agree. */
  readonly isQuick: boolean;
  readonly unsealer: Unsealer;
  readonly onFinding: (finding: Finding) => void;
}

/** What was looked at. */
export interface VerifyTotals {
  readonly tasks: number;
  readonly events: number;
  readonly attempts: number;
  /** Events that could not be read for lack of a key. */
  readonly sealedEvents: number;
  readonly findings: number;
}

/** Recomputes every task from its events and reports what does not fit. Memory is bounded by the attempts of one task. */
export function verifyStore(source: VerificationSource, options: VerifyOptions): VerifyTotals {
  return new Verification(source, options).run();
}

class Verification {
  readonly #source: VerificationSource;
  readonly #options: VerifyOptions;
  #tasks = 0;
  #events = 0;
  #attempts = 0;
  #sealed = 0;
  #findings = 0;

  constructor(source: VerificationSource, options: VerifyOptions) {
    this.#source = source;
    this.#options = options;
  }

  run(): VerifyTotals {
    const source = this.#source;
    for (const words of source.checkFile({ isQuick: this.#options.isQuick }))
      this.#report("integrity", null, "database file", "ok", words);
    const counters = source.countCounters();
    if (counters !== 1) this.#report("counters", null, "rows of counters", "1", String(counters));
    const visit = (history: StoredHistory) => {
      this.#verifyTask(history);
    };
    for (let key: number | null = Number.MIN_SAFE_INTEGER; key !== null;) key = source.visitTasks(key, visit);
    for (const { table, taskKey, count } of source.orphans()) {
      const kind = table === "task_events" ? "orphan-events" : "orphan-attempts";
      this.#report(
        kind,
        null,
        `task key ${taskKey}`,
        "a task",
        `${count} ${table === "task_events" ? "events" : "attempts"} without one`,
      );
    }
    const [tasks, events, attempts, sealedEvents, findings] = [
      this.#tasks,
      this.#events,
      this.#attempts,
      this.#sealed,
      this.#findings,
    ];
    return { tasks, events, attempts, sealedEvents, findings };
  }

  #verifyTask({ id, task, events, attempts }: StoredHistory): void {
    this.#tasks += 1;
    this.#attempts += attempts?.length ?? 0;
    const replay = new TaskReplay(({ kind, sequence, what, expected, found }) => {
      this.#report(kind, id, `event ${sequence}, ${what}`, expected, found);
    });
    const line = new EventLine(id, (kind, what, expected, found) => {
      this.#report(kind, id, what, expected, found);
    });
    // After an event that is missing or cannot be read, everything else would be found wrong because of it.
    let isWhole = true;
    for (const stored of events) {
      this.#events += 1;
      const event = line.take(stored) && this.#read(id, stored);
      if (event === false) isWhole = false;
      if (!isWhole) continue;
      if (event === undefined) {
        this.#sealed += 1;
        replay.applySealed(stored.sequence);
      } else if (event !== false) {
        line.compare(stored, event);
        replay.apply(event);
      }
    }
    if (task === undefined) {
      this.#report("unreadable", id, "the task's row", "readable", "broken JSON in a column");
      return;
    }
    if (line.sequence !== task.sequence)
      this.#report(
        "sequence",
        id,
        "sequence of the task",
        `${line.sequence}, that of its last event`,
        String(task.sequence),
      );
    if (attempts === undefined)
      this.#report("unreadable", id, "an attempt's row", "readable", "broken JSON in a column");
    if (!isWhole || attempts === undefined) return;
    const resultJson = this.#openResult(task);
    const isOld = task.createTimeMs < this.#source.attemptsSinceMs;
    for (const finding of compareTask({ task, attempts, resultJson, isOld }, replay.task, replay.mayHaveCompleted))
      this.#report(finding.kind, id, finding.what, finding.expected, finding.found);
  }

  /** The event; undefined: sealed, and no key; false: not readable. */
  #read(id: string, { sequence, revision, body }: StoredEvent): TaskEvent | undefined | false {
    try {
      const opened = this.#options.unsealer.event(body, revision);
      return opened === undefined ? undefined : TaskEvent.decode(opened);
    } catch {
      this.#report("unreadable", id, `event ${sequence}`, "an event", "bytes that are none");
      return false;
    }
  }

  /** The result; null: there is none; undefined: it cannot be opened. */
  #openResult({ id, resultJson }: TaskRecord): string | null | undefined {
    try {
      return resultJson === null ? null : this.#options.unsealer.result(resultJson, id);
    } catch {
      this.#report("unreadable", id, "result", "sealed for this task", "altered, or sealed for another place");
      return undefined;
    }
  }

  #report(kind: FindingKind, taskId: string | null, what: string, expected: string, found: string): void {
    this.#findings += 1;
    this.#options.onFinding({ kind, taskId, what, expected, found });
  }
}

/** The rows of one task's events, one after the other. */
class EventLine {
  sequence = 0;
  readonly #id: string;
  readonly #report: (kind: FindingKind, what: string, expected: string, found: string) => void;
  #revision = 0;

  constructor(id: string, report: (kind: FindingKind, what: string, expected: string, found: string) => void) {
    this.#id = id;
    this.#report = report;
  }

  /** Looks at a row's place. Returns false when an event is missing before it. */
  take({ sequence, revision }: StoredEvent): boolean {
    const expected = this.sequence + 1;
    this.sequence = sequence;
    if (sequence !== expected) this.#report("gap", "sequence of the next event", String(expected), String(sequence));
    if (revision <= this.#revision)
      this.#report("revision", `revision of event ${sequence}`, `above ${this.#revision}`, String(revision));
    this.#revision = revision;
    return sequence === expected;
  }

  /** Compares what an event says of its own place with its row. */
  compare(row: StoredEvent, event: TaskEvent): void {
    const what = (field: string) => `${field} within event ${row.sequence}`;
    if (event.taskId !== this.#id) this.#report("misplaced-event", what("task"), this.#id, event.taskId);
    if (event.sequence !== row.sequence)
      this.#report("misplaced-event", what("sequence"), String(row.sequence), String(event.sequence));
    if (event.revision !== row.revision)
      this.#report("misplaced-event", what("revision"), String(row.revision), String(event.revision));
  }
}
