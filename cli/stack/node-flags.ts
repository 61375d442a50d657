/**
 * How node is started for the services; the first line of `cli/main.ts` says the same. Tasks on their way live for tens of milliseconds:
 * with V8's small nursery (1 MiB at first) they are promoted to the old generation and collected there, which cost the task-service
 * a third of its CPU.
 */
export const SERVICE_NODE_FLAGS = ["--min-semi-space-size=16", "--max-semi-space-size=32"] as const;
