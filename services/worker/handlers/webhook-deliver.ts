import { z } from "zod";
import { defineTask } from "#libs/define-task/define-task.js";
import { sendWebhook } from "#worker/handlers/webhook-deliver/send-webhook.js";

const payload = z.strictObject({
  /** Of http or https. */
  url: z.string().min(1).max(2048),
  /** What is sent, as JSON. */
  body: z.record(z.string(), z.unknown()),
  /** The `webhook-id`; default: the id of the delivering task. */
  deliveryId: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,128}$/)
    .optional(),
});

const result = z.object({ deliveryId: z.string(), status: z.int().min(200).max(299), signed: z.boolean() });

/** `webhook.deliver`: one signed JSON message to one receiver, by the Standard Webhooks specification. */
export default defineTask(
  "webhook.deliver",
  {
    payload,
    result,
    // It only waits for the network, so hundreds may do so at once.
    isolation: "inline",
    maxAttempts: 4,
    initialDelayMs: 1000,
    softTimeoutMs: 20_000,
    hardTimeoutMs: 30_000,
  },
  async (task) => {
    const { url, body, deliveryId = task.taskId } = task.payload;
    task.progress(0, "sending");
    const { status, signed } = await sendWebhook({ url, deliveryId, body }, task.signal);
    if (!signed) task.log.warn("the webhook is not signed: TASKWIRE_WEBHOOK_SECRET is not set");
    task.progress(1, "delivered");
    return { deliveryId, status, signed };
  },
);
