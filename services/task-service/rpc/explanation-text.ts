import { TaskState } from "#libs/tasks/task-state.js";
import { MAX_COUNTED } from "#task-service/store/read-query.js";
import type { ReasonKind } from "#task-service/rpc/task-reasons.js";

/** Reasons of a summary: the most important ones, so that it stays a sentence. */
const MAX_SUMMED_UP = 3;
/** Types that are named in a clause. */
const MAX_NAMED = 5;
const STATE_NAMES = new Map<TaskState, string>(Object.entries(TaskState).map(([name, state]) => [state, name]));

/** One sentence made of the texts of the most important reasons. */
export function summaryOf(state: TaskState, texts: readonly string[]): string {
  return `The task is ${STATE_NAMES.get(state) ?? "there"}: ${texts.slice(0, MAX_SUMMED_UP).join("; ")}.`;
}

/** A reason as a clause. */
export function reasonText(reason: ReasonKind, nowMs: number): string {
  const since = (time: Date | undefined) => spanText(nowMs - (time?.getTime() ?? nowMs));
  const due = (time: Date | undefined) => {
    const leftMs = (time?.getTime() ?? nowMs) - nowMs;
    return `due at ${timeText(time)}${leftMs > 0 ? `, in ${spanText(leftMs)}` : ""}`;
  };
  switch (reason.$case) {
    case "finished": {
      const { endTime, errorCode } = reason.value;
      return `it ended at ${timeText(endTime)}${errorCode === "" ? "" : ` with ${errorCode}`}`;
    }
    case "running": {
      const { workerId, attempt, startTime, workerAlive, lastHeardTime } = reason.value;
      const heard = workerAlive ? `was heard ${since(lastHeardTime)} ago` : "is not heard of any more";
      return `worker ${workerId} has had attempt ${attempt} for ${since(startTime)} and ${heard}`;
    }
    case "cancelRequest": {
      const { requestTime, reason: why } = reason.value;
      return `a cancel was asked for ${since(requestTime)} ago${why === "" ? "" : ` (${why})`} and is not answered yet`;
    }
    case "lockedPayload": {
      const { keyId } = reason.value;
      if (keyId === "") return "its payload is encrypted and broken, so it is not dispatched";
      return `its payload is encrypted with the key ${keyId}, which the task-service does not have`;
    }
    case "delayed":
      return `it is ${due(reason.value.runTime)}`;
    case "waitingRetry":
      return retryText(reason.value, due(reason.value.runTime));
    case "natsAway":
      return "the task-service has no connection to NATS";
    case "serviceStarting":
      return "the task-service has started and does not dispatch yet";
    case "dispatched":
      return dispatchedText(reason.value, since(reason.value.dispatchTime));
    case "quarantined":
      return `it lost ${reason.value.lostWorkers} workers in a row and waits for its turn apart from other such tasks`;
    case "noWorkers": {
      const { queue, draining } = reason.value;
      const leaving = draining === 0 ? "" : ` (${count(draining, "worker")} draining)`;
      return `no living worker takes tasks from queue ${queue}${leaving}`;
    }
    case "noWorkerForType": {
      const { queue, type, workers, workerTypes } = reason.value;
      const others = `${count(workers, "worker")} for ${listText(workerTypes)}`;
      return `no living worker of queue ${queue} runs the type ${type} (there: ${others})`;
    }
    case "slotsBusy": {
      const { queue, slots, running, dispatched } = reason.value;
      const all = slots === 1 ? "the only slot" : `all ${figure(slots)} slots`;
      const taken = `${slots === 1 ? "is" : "are"} taken (${running} running, ${dispatched} dispatched)`;
      return `${all} of the workers of queue ${queue} ${taken}`;
    }
    case "inLine":
      return lineText(reason.value);
    case "totalTimeout":
      return `no attempt starts after ${timeText(reason.value.deadlineTime)}`;
  }
}

type ValueOf<Case extends ReasonKind["$case"]> = Extract<ReasonKind, { $case: Case }>["value"];

function retryText({ countedAttempt, maxAttempts, errorCode }: ValueOf<"waitingRetry">, due: string): string {
  const attempt = `attempt ${countedAttempt}${maxAttempts === 0 ? "" : ` of ${maxAttempts}`}`;
  return `${attempt} is ${due}${errorCode === "" ? "" : `, after ${errorCode}`}`;
}

function dispatchedText(dispatched: ValueOf<"dispatched">, age: string): string {
  const { attempt, repeats, confirmed, handedOut } = dispatched;
  const again = repeats === 0 ? "" : `, for the ${ordinal(repeats + 1)} time`;
  const where = handedOut ? "it is with a worker or lost" : confirmed ? "it waits there" : "NATS has not confirmed it";
  return `attempt ${attempt} was handed to NATS ${age} ago${again}, and no worker has started it: ${where}`;
}

function lineText({ queue, position, total, positionIsMinimum, totalIsMinimum }: ValueOf<"inLine">): string {
  if (positionIsMinimum) return `at least ${figure(MAX_COUNTED)} due tasks of queue ${queue} come before it`;
  return `it is ${ordinal(position)} of ${totalIsMinimum ? "more than " : ""}${figure(total)} due in queue ${queue}`;
}

function listText(words: readonly string[]): string {
  const rest = words.length - MAX_NAMED;
  const named = words.slice(0, MAX_NAMED).join(", ");
  return words.length === 0 ? "no type" : rest > 0 ? `${named} and ${rest} more` : named;
}

function ordinal(number: number): string {
  const isTeen = number % 100 >= 11 && number % 100 <= 13;
  const ending = isTeen ? "th" : (["th", "st", "nd", "rd"][number % 10] ?? "th");
  return `${figure(number)}${ending}`;
}

function count(number: number, word: string): string {
  return `${figure(number)} ${word}${number === 1 ? "" : "s"}`;
}

function figure(number: number): string {
  return number.toLocaleString("en-US");
}

function timeText(time: Date | undefined): string {
  return time?.toISOString() ?? "an unknown time";
}

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
] as const;

/** Seconds below three minutes, else the largest unit of which there are at least three. */
function spanText(ms: number): string {
  const [unit, size] = UNITS.find(([, unitMs]) => ms >= 3 * unitMs) ?? ["s", 1000];
  return `${Math.max(0, Math.floor(ms / size))} ${unit}`;
}
