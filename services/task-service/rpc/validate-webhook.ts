import type { Webhook } from "#libs/proto/gen/taskwire/v1/task.js";
import { MAX_WEBHOOK_URL_CHARACTERS } from "#libs/tasks/limits.js";
import { TaskState } from "#libs/tasks/task-state.js";
import { WEBHOOK_TYPE } from "#libs/tasks/webhook.js";
import type { Violations } from "#task-service/rpc/violations.js";

/** Notes what is wrong with the webhook of a new task of this type. `field`: what it is called in the request. */
export function validateWebhook({ url, states }: Webhook, type: string, field: string, found: Violations): void {
  found.expect(type !== WEBHOOK_TYPE, field, `must not be set for tasks of type ${WEBHOOK_TYPE}`);
  found.expect(isReceiver(url), `${field}.url`, url === "" ? "is required" : URL_RULE);
  const isRight = states.every((state) => ENDS.includes(state)) && new Set(states).size === states.length;
  found.expect(isRight, `${field}.states`, "must be COMPLETED, FAILED or CANCELLED, each at most once");
}

const ENDS: readonly number[] = [TaskState.COMPLETED, TaskState.FAILED, TaskState.CANCELLED];
const URL_RULE = `must be an absolute URL of http or https without user and password, at most ${MAX_WEBHOOK_URL_CHARACTERS} characters`;

function isReceiver(url: string): boolean {
  if (url.length > MAX_WEBHOOK_URL_CHARACTERS || !/^https?:\/\//i.test(url) || !URL.canParse(url)) return false;
  const { username, password } = new URL(url);
  return username === "" && password === "";
}
