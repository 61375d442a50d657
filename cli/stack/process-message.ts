import { z } from "zod";

/** What a service process tells the process that started it, over the IPC channel. */
const MESSAGE = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("ready"),
    /** The port that the task-service listens on. */
    grpcPort: z.number().int().optional(),
    /** The port that answers over HTTP; -1: none. */
    httpPort: z.number().int().optional(),
    /** The id of the worker. */
    workerId: z.string().optional(),
  }),
  z.object({
    kind: z.literal("failed"),
    message: z.string(),
    /** Its configuration has these. */
    problems: z.array(z.string()).optional(),
  }),
]);

/** The process is ready, or could not start. */
export type ProcessMessage = z.infer<typeof MESSAGE>;

/** What a process says when it is ready. */
export type ReadyMessage = Extract<ProcessMessage, { kind: "ready" }>;

/** What a process says when it could not start. */
export type FailedMessage = Extract<ProcessMessage, { kind: "failed" }>;

/** Tells the parent, if there is one. Resolves when the message has left. */
export function tellParent(message: ProcessMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve();
    else process.send(message, () => resolve());
  });
}

/** Reads a message of a child; undefined for anything else. */
export function readProcessMessage(message: unknown): ProcessMessage | undefined {
  return MESSAGE.safeParse(message).data;
}
