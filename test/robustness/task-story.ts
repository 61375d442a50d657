import type { TaskEvent } from "#libs/proto/gen/taskwire/v1/task_event.js";
import { TaskState } from "#libs/tasks/task-state.js";

/** The word for a kind of event, for example `started`. */
export type EventWord = NonNullable<TaskEvent["kind"]>["$case"];

/** One attempt as the events tell it. */
export interface AttemptStory {
  readonly number: number;
  readonly workerId: string;
  /** Which round of attempts, from 0; RetryTask begins another one. */
  readonly round: number;
  readonly maxAttempts: number;
  readonly startSequence: number;
  /** The event that ended it; undefined: it runs. */
  end?: { readonly sequence: number; readonly word: EventWord; readonly errorCode: string; readonly isLost: boolean };
}

/** What the events of a task add up to. */
export interface TaskStory {
  /** The state after each event; the first one is that after event 1. */
  readonly states: readonly TaskState[];
  /** The number of the latest attempt after each event, heard of or not. */
  readonly attemptNumbers: readonly number[];
  readonly attempts: readonly AttemptStory[];
  /** The sequences of the terminal events of each round. */
  readonly ends: readonly (readonly number[])[];
  /** Moves that cannot be, in words. */
  readonly oddities: readonly string[];
}

const { PENDING, RUNNING, COMPLETED, FAILED, CANCELLED } = TaskState;
type Move = readonly [from: readonly TaskState[], to: TaskState];

const MOVES: Readonly<Partial<Record<EventWord, Move>>> = {
  started: [[PENDING], RUNNING],
  retryScheduled: [[RUNNING], PENDING],
  released: [[RUNNING], PENDING],
  reopened: [[FAILED, CANCELLED], PENDING],
  completed: [[RUNNING], COMPLETED],
  failed: [[PENDING, RUNNING], FAILED],
  cancelled: [[PENDING, RUNNING], CANCELLED],
};
/** What only an attempt under way can say. */
const SPEECH: readonly EventWord[] = [
  "progress",
  "log",
  "output",
  "cancelDelivered",
  "cancelAcknowledged",
  "cancelGraceExpired",
  "softLimitReached",
];

/**
 * Adds up events on its own, with no line of the product's code that decides, so that a mistake there is not made here again.
 */
export function tellStory(events: readonly TaskEvent[]): TaskStory {
  const states: TaskState[] = [];
  const attemptNumbers: number[] = [];
  const attempts: AttemptStory[] = [];
  const ends: number[][] = [[]];
  const oddities: string[] = [];
  let state: TaskState | undefined;
  let latest = 0;
  for (const event of events) {
    const word = event.kind?.$case;
    if (word === undefined) continue;
    const odd = oddity(word, state);
    if (odd !== undefined) oddities.push(`event ${event.sequence}: ${odd}`);
    if (event.kind?.$case === "started") {
      const { workerId, maxAttempts } = event.kind.value;
      latest += 1;
      attempts.push({ number: latest, workerId, round: ends.length - 1, maxAttempts, startSequence: event.sequence });
    }
    // The end of a task whose next attempt a worker may have that was not heard of: its number is used up.
    const isUnheard = state === PENDING && (word === "cancelled" || word === "failed") && event.attempt > latest;
    if (isUnheard) latest += 1;
    const next = word === "created" ? PENDING : (MOVES[word]?.[1] ?? state);
    if (state === RUNNING && next !== RUNNING) endAttempt(attempts.at(-1), event, word);
    if (word === "completed" || word === "failed" || word === "cancelled") ends.at(-1)?.push(event.sequence);
    if (word === "reopened") ends.push([]);
    state = next ?? PENDING;
    states.push(state);
    attemptNumbers.push(latest);
  }
  return { states, attemptNumbers, attempts, ends, oddities };
}

/** The attempt of this number, if it was heard of. */
export function attemptNumbered(story: TaskStory | undefined, number: number): AttemptStory | undefined {
  return story?.attempts.find((attempt) => attempt.number === number);
}

/** Whether a state is terminal. */
export function isOver(state: TaskState | undefined): boolean {
  return state === COMPLETED || state === FAILED || state === CANCELLED;
}

/** The name of a state, for people. */
export function stateName(state: TaskState | undefined): string {
  return Object.entries(TaskState).find(([, value]) => value === state)?.[0] ?? "no state";
}

function oddity(word: EventWord, state: TaskState | undefined): string | undefined {
  if (word === "created") return state === undefined ? undefined : "created again";
  if (state === undefined) return `${word} before created`;
  const move = MOVES[word];
  if (move !== undefined) return move[0].includes(state) ? undefined : `${word} while ${stateName(state)}`;
  if (SPEECH.includes(word) && state !== RUNNING) return `${word} while ${stateName(state)}`;
  return isOver(state) ? `${word} after the end` : undefined;
}

function endAttempt(attempt: AttemptStory | undefined, { sequence, kind }: TaskEvent, word: EventWord): void {
  if (attempt === undefined) return;
  let errorCode = "";
  if (kind?.$case === "retryScheduled" || kind?.$case === "failed") errorCode = kind.value.error?.code ?? "";
  if (kind?.$case === "released") errorCode = kind.value.code;
  const lastError: unknown = kind?.$case === "failed" ? kind.value.error?.details?.["lastError"] : undefined;
  const lastCode: unknown = typeof lastError === "object" && lastError !== null ? Reflect.get(lastError, "code") : "";
  const isLost =
    ["WORKER_LOST", "POISONED"].includes(errorCode) ||
    lastCode === "WORKER_LOST" ||
    (kind?.$case === "cancelled" && Number(kind.value.phase) === WORKER_LOST_PHASE);
  attempt.end = { sequence, word, errorCode, isLost };
}

const WORKER_LOST_PHASE = 4;
