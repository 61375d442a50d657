const TYPE = /^[a-z][a-z0-9_-]*(\.[a-z][a-z0-9_-]*)*$/;
const QUEUE = /^[a-z0-9][a-z0-9_-]{0,62}$/;
const LABEL_KEY = /^[a-zA-Z][a-zA-Z0-9_./-]{0,62}$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The queue of tasks that name none. */
export const DEFAULT_QUEUE = "default";

/** Whether a text may name a task type: lower-case words joined by dots, at most 100 characters. */
export function isTypeName(text: string): boolean {
  return text.length <= 100 && TYPE.test(text);
}

/** Whether a text may name a queue. Queue names are NATS subject tokens, hence no dots. */
export function isQueueName(text: string): boolean {
  return QUEUE.test(text);
}

/** Whether a text may be a label key. */
export function isLabelKey(text: string): boolean {
  return LABEL_KEY.test(text);
}

/** Whether a text is a UUID. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}
