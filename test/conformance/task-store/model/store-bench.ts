import { expect } from "chai";
import { TaskEvent } from "#libs/proto/gen/taskwire/v1/task_event.js";
import type { Commit, CommittedEvent } from "#task-service/store/commit.js";
import type { TaskStore } from "#task-service/store/task-store.js";
import type { WriteCommand, WriteResults } from "#task-service/store/write-command.js";
import type { StorePlace } from "#test/conformance/task-store/store-factory.js";
import { expectSame } from "#test/conformance/task-store/model/expect-same.js";
import type { ModelEvent } from "#test/conformance/task-store/model/model-event.js";
import { REJECTED, type Expectation, type StoreModel } from "#test/conformance/task-store/model/store-model.js";
import { TaskwireError } from "#libs/errors/taskwire-error.js";

/** A command with what the model expects of it. */
export interface Foreseen {
  readonly command: WriteCommand;
  readonly expectation: Expectation;
}

/** A real store under test, and everything it has told. */
export class StoreBench {
  store: TaskStore;
  readonly #place: StorePlace;
  #commits: Commit[] = [];

  constructor(place: StorePlace) {
    this.#place = place;
    this.store = this.#open();
  }

  async start(): Promise<void> {
    await this.store.start();
  }

  async restart(): Promise<void> {
    await this.store.stop();
    this.store = this.#open();
    await this.store.start();
  }

  async close(): Promise<void> {
    await this.store.stop();
    this.#place.remove();
  }

  /** Writes commands all at once and compares answers, events and changes with what the model foresaw. */
  async write(round: readonly Foreseen[], model: StoreModel): Promise<void> {
    this.#commits = [];
    const answers = await Promise.all(round.map(({ command }) => this.store.write(command).then(plainAnswer, failure)));
    // What was told by now was told before the last write resolved.
    const commits = [...this.#commits];
    expectSame(
      "what the commands answer",
      answers,
      round.map(({ expectation }) => expectation.answer),
    );
    compareEvents(
      commits,
      round.map(({ expectation }) => expectation),
      model,
    );
    compareChanges(
      commits,
      round.map(({ expectation }) => expectation),
      model,
    );
    expect(this.store.revision).to.equal(model.lastRevision);
  }

  #open(): TaskStore {
    const store = this.#place.open();
    store.onCommit((commit) => this.#commits.push(commit));
    return store;
  }
}

/** An answer without the tasks in it: they show how the whole group of commands left them. */
function plainAnswer(answer: WriteResults[WriteCommand["kind"]]): unknown {
  if ("existing" in answer) return { ...answer, existing: answer.existing.map((task) => task?.id ?? null) };
  if ("task" in answer) return { verdict: answer.verdict, id: answer.task?.id ?? null };
  return answer;
}

function failure(error: unknown): unknown {
  if (error instanceof TaskwireError && error.reason !== "DATABASE_UNAVAILABLE") throw error;
  return REJECTED;
}

/** Events come in the order of the commands, under revisions that only rise; the model takes the revisions over. */
function compareEvents(commits: readonly Commit[], round: readonly Expectation[], model: StoreModel): void {
  const told = commits.flatMap(({ events }) => events);
  const expected = round.flatMap(({ events }) => events);
  expect(told.length).to.equal(expected.length);
  let from = 0;
  for (const { events, isOrdered } of round) {
    const part = told.slice(from, from + events.length);
    from += events.length;
    const byPlace = new Map(part.map((event) => [`${event.taskId} ${event.sequence}`, event]));
    for (const [index, event] of events.entries()) {
      const found = isOrdered ? part[index] : byPlace.get(`${event.taskId} ${event.sequence}`);
      if (found === undefined) throw new Error(`listeners were not told of ${event.kind}`);
      event.revision = found.revision;
      compareEvent(found.body, event);
      const isTerminal = ["completed", "failed", "cancelled"].includes(event.kind);
      expect(found).to.include({ taskId: event.taskId, sequence: event.sequence, isTerminal });
      compareBefore(found, model);
    }
  }
  for (const { revision } of told) {
    expect(revision).to.be.greaterThan(model.lastRevision);
    model.lastRevision = revision;
  }
  let last = 0;
  for (const { revision, events } of commits) {
    expect(revision).to.be.at.least(last);
    if (events.length > 0) expect(revision).to.equal(events.at(-1)?.revision);
    last = revision;
  }
}

/** An event tells how the event before has left its task. */
function compareBefore({ taskId, sequence, before }: CommittedEvent, model: StoreModel): void {
  const task = model.tasks.get(taskId);
  if (task === undefined) return;
  const { state = 0, attempt = 0, timeMs = 0 } = task.events[sequence - 2] ?? {};
  expectSame(`what was before event ${sequence} of ${taskId}`, before, { state: Number(state), attempt, timeMs });
}

/** Compares an encoded event with the model's. */
export function compareEvent(body: Uint8Array, expected: ModelEvent): void {
  const { revision, sequence, taskId, state, attempt, time, kind } = TaskEvent.decode(body);
  const told = {
    revision,
    sequence,
    taskId,
    state: Number(state),
    attempt,
    timeMs: time?.getTime(),
    kind: kind?.$case,
  };
  const { says, ...rest } = expected;
  expectSame(`${rest.kind} of ${taskId}`, told, rest);
  const { error, ...others } = says;
  for (const [name, value] of Object.entries(others))
    expectSame(`${name} of ${kind?.$case}`, Reflect.get(kind?.value ?? {}, name), value);
  if (error !== undefined && kind !== undefined && "error" in kind.value)
    expectSame(`the error of ${kind.$case}`, errorOf(kind.value.error), error);
}

function errorOf(error: { code: string; message: string; retryable: boolean; details?: unknown } | undefined): unknown {
  if (error === undefined) return undefined;
  const { code, message, retryable, details } = error;
  return { code, message, retryable, detailsJson: details === undefined ? "" : JSON.stringify(details) };
}

/** Listeners are told how every task that changed stands now, and of no other. */
function compareChanges(commits: readonly Commit[], round: readonly Expectation[], model: StoreModel): void {
  const touched = round.flatMap(({ events, madeDue }) => [...events.map(({ taskId }) => taskId), ...madeDue]);
  const latest = new Map(commits.flatMap(({ changes }) => changes).map((change) => [change.id, change]));
  expectSame("what listeners are told of", [...latest.keys()].sort(), [...new Set(touched)].sort());
  for (const [id, change] of latest) {
    const task = model.tasks.get(id);
    if (task === undefined) continue;
    const { key, queue, type, priority, runTimeMs, state, attempt, workerId, cancelReason } = task.record;
    const isCancelRequested = task.record.cancelRequestTimeMs !== null;
    const labelsJson = JSON.stringify(task.record.labels);
    const facts = { labelsJson, id, key, queue, type, priority, runTimeMs, state, attempt, workerId, cancelReason };
    expectSame(`the change of ${id}`, change, { ...facts, isCancelRequested, isWaiting: task.isWaiting });
  }
}
