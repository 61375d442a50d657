import type { AttemptErrorFact } from "#libs/tasks/claim.js";
import { TaskState } from "#libs/tasks/task-state.js";

/** The type of the tasks that deliver webhooks. */
export const WEBHOOK_TYPE = "webhook.deliver";

/** The label of a delivery that names the task it tells of. */
const TASK_LABEL = "webhook_task";

/** Who is told of a task's end, as it is stored. */
export interface Webhook {
  readonly url: string;
  /** The ends that are told of; empty: all. */
  readonly states: readonly number[];
}

/** What a message tells of a task. */
export interface EndedTask {
  readonly id: string;
  readonly type: string;
  readonly queue: string;
  readonly state: TaskState;
  readonly attempt: number;
  /** Of its terminal event. */
  readonly sequence: number;
  readonly error: AttemptErrorFact | null;
  readonly labelsJson: string;
  readonly createTimeMs: number;
  readonly endTimeMs: number;
}

/** The delivering task, as far as it depends on the task that ended. */
export interface WebhookDelivery {
  readonly type: string;
  readonly description: string;
  readonly labelsJson: string;
  readonly payloadJson: string;
  /** Unique for every terminal event; no client can send one with spaces. */
  readonly requestId: string;
}

const STATE_NAMES: ReadonlyMap<TaskState, string> = new Map([
  [TaskState.COMPLETED, "completed"],
  [TaskState.FAILED, "failed"],
  [TaskState.CANCELLED, "cancelled"],
]);

/**
 * The delivery for a task that has just ended; undefined: nobody asked for this end. `webhookJson`: JSON of a {@link Webhook}; undefined:
 * nobody can read it any more, so the delivery has no URL and fails with `PAYLOAD_REJECTED` where everybody can see it.
 */
export function webhookDelivery(task: EndedTask, webhookJson: string | undefined): WebhookDelivery | undefined {
  const unread: Webhook = { url: "", states: [] };
  const { url, states } = webhookJson === undefined ? unread : (JSON.parse(webhookJson) as Webhook);
  const state = STATE_NAMES.get(task.state);
  if (state === undefined || (states.length > 0 && !states.includes(task.state))) return undefined;
  const { id, sequence } = task;
  return {
    type: WEBHOOK_TYPE,
    description: `tells that ${id} is ${state}`,
    labelsJson: JSON.stringify({ [TASK_LABEL]: id }),
    payloadJson: JSON.stringify({ url, deliveryId: `${id}_${sequence}`, body: messageOf(task, state) }),
    requestId: `webhook ${id} ${sequence}`,
  };
}

/** The body of the message, in the form that Standard Webhooks recommends. */
function messageOf(task: EndedTask, state: string): unknown {
  const { id, type, queue, attempt, sequence, error } = task;
  const endTime = new Date(task.endTimeMs).toISOString();
  return {
    type: `task.${state}`,
    timestamp: endTime,
    data: {
      id,
      type,
      queue,
      state: state.toUpperCase(),
      attempt,
      sequence,
      error: error === null ? null : { code: error.code, message: error.message },
      labels: JSON.parse(task.labelsJson) as unknown,
      createTime: new Date(task.createTimeMs).toISOString(),
      endTime,
    },
  };
}
