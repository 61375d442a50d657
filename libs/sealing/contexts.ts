/** Of a `taskwire.bus.v1.DispatchTask`, whole. */
export const DISPATCH_CONTEXT = "dispatch";

/** Of a `taskwire.bus.v1.ReportBatch`, whole. */
export const REPORTS_CONTEXT = "reports";

/** Of a task's payload in the database. */
export function payloadContext(taskId: string): string {
  return `payload:${taskId}`;
}

/** Of a task's result in the database. */
export function resultContext(taskId: string): string {
  return `result:${taskId}`;
}

/** Of the webhook that a task asks for, in the database. */
export function webhookContext(taskId: string): string {
  return `webhook:${taskId}`;
}

/** Of an event in the database. */
export function eventContext(revision: number): string {
  return `event:${revision}`;
}
