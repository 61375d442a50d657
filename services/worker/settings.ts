import { availableParallelism } from "node:os";
import { DEFAULT_ATTEMPT_LIMITS, DEFAULT_GRACE_MS } from "#libs/attempts/attempt-limits.js";
import { DEFAULT_SPEECH_LIMITS } from "#libs/attempts/speech-claims.js";
import { encryptionProblems, encryptionSettings } from "#libs/config/encryption.js";
import { oneOf, text, textList, toggle, wholeNumber } from "#libs/config/setting-kinds.js";
import type { Schema, Settings } from "#libs/config/settings.js";
import { LOG_LEVELS, type LogLevel } from "#libs/log/logger.js";
import { MAX_MEMORY_BYTES, MAX_TIMEOUT_MS, MIN_MEMORY_BYTES, MIN_TIMEOUT_MS } from "#libs/tasks/limits.js";
import { DEFAULT_QUEUE } from "#libs/tasks/names.js";
import { commandFileProblems } from "#worker/handlers/command-run/command-file.js";
import { handlerSettingsSchema, type HandlerSettings } from "#worker/handlers/handler-settings.js";
import { languageModelProblems } from "#worker/language-model/language-model-problems.js";

const cores = availableParallelism();

/** Every setting of the worker. */
export const workerSettingsSchema = {
  natsUrl: text({
    env: "TASKWIRE_NATS_URL",
    doc: "Where NATS is; several servers of one cluster are separated by commas.",
    default: "nats://127.0.0.1:4222",
    allowed: "`nats://host:port`",
    pattern: /^(nats|tls):\/\/[^\s]+$/,
  }),
  prefix: text({
    env: "TASKWIRE_PREFIX",
    doc: "First token of every NATS subject; keeps installations on one NATS apart.",
    default: "taskwire",
    allowed: "letters, digits, `-` and `_`",
    pattern: /^[a-zA-Z0-9_-]{1,32}$/,
  }),
  queues: textList({
    env: "TASKWIRE_QUEUES",
    doc: "The queues to take tasks from.",
    default: [DEFAULT_QUEUE],
    allowed: "queue names",
    pattern: /^[a-z0-9][a-z0-9_-]{0,62}$/,
  }),
  tasks: textList({
    env: "TASKWIRE_TASKS",
    doc: "Task modules (JavaScript files that use `defineTask`), besides the built-in ones.",
    default: [],
    allowed: "paths",
  }),
  builtinTasks: toggle({
    env: "TASKWIRE_BUILTIN_TASKS",
    doc: "Whether the built-in task types are offered.",
    default: true,
  }),
  slots: wholeNumber({
    env: "TASKWIRE_SLOTS",
    doc: "Attempts at once; at most as many processes. Default: the number of cores. Inline types can do with hundreds.",
    default: cores,
    min: 1,
    max: 4096,
  }),
  warmProcesses: wholeNumber({
    env: "TASKWIRE_WARM_PROCESSES",
    doc: "Isolates kept ready per kind, at most one per slot. Default: the number of cores. More are started while more are needed.",
    default: cores,
    min: 0,
    max: 1024,
  }),
  heartbeatMs: wholeNumber({
    env: "TASKWIRE_HEARTBEAT_MS",
    doc: "Time between two heartbeats; must be well below the lease time of the task-service.",
    default: 2000,
    min: 50,
    max: 60_000,
    unit: "ms",
  }),
  cancelGraceMs: wholeNumber({
    env: "TASKWIRE_CANCEL_GRACE_MS",
    doc: "Time a handler has after its signal fired for a cancel or a shutdown, until it is killed.",
    default: DEFAULT_GRACE_MS,
    min: 0,
    max: 600_000,
    unit: "ms",
  }),
  drainTimeoutMs: wholeNumber({
    env: "TASKWIRE_DRAIN_TIMEOUT_MS",
    doc: "Time that running attempts get to finish when the worker stops, before their signals fire.",
    default: 30_000,
    min: 0,
    max: MAX_TIMEOUT_MS,
    unit: "ms",
  }),
  softTimeoutMs: wholeNumber({
    env: "TASKWIRE_SOFT_TIMEOUT_MS",
    doc: "When the signal of a handler fires, unless the task or its type says otherwise.",
    default: DEFAULT_ATTEMPT_LIMITS.softTimeoutMs,
    min: MIN_TIMEOUT_MS,
    max: MAX_TIMEOUT_MS,
    unit: "ms",
  }),
  hardTimeoutMs: wholeNumber({
    env: "TASKWIRE_HARD_TIMEOUT_MS",
    doc: "When a handler is killed, unless the task or its type says otherwise.",
    default: DEFAULT_ATTEMPT_LIMITS.hardTimeoutMs,
    min: MIN_TIMEOUT_MS,
    max: MAX_TIMEOUT_MS,
    unit: "ms",
  }),
  memoryBytes: wholeNumber({
    env: "TASKWIRE_MEMORY_BYTES",
    doc: "Memory cap of an isolate, unless the task or its type says otherwise.",
    default: DEFAULT_ATTEMPT_LIMITS.memoryBytes,
    min: MIN_MEMORY_BYTES,
    max: MAX_MEMORY_BYTES,
    unit: "bytes",
  }),
  recycleAfter: wholeNumber({
    env: "TASKWIRE_RECYCLE_AFTER",
    doc: "Attempts after which an isolate is replaced by a fresh one.",
    default: 50,
    min: 1,
    max: 1_000_000,
  }),
  isolateNice: wholeNumber({
    env: "TASKWIRE_ISOLATE_NICE",
    doc: "How far isolates stand back behind the services for the CPU.",
    default: 10,
    min: 0,
    max: 19,
  }),
  freezeKillMs: wholeNumber({
    env: "TASKWIRE_FREEZE_KILL_MS",
    doc: "How long the worker may be stopped (SIGSTOP, a debugger) until its processes kill themselves; at most the lease time less one heartbeat. 0: for ever. On Linux only.",
    default: 8000,
    min: 0,
    max: 3_600_000,
    unit: "ms",
  }),
  progressIntervalMs: wholeNumber({
    env: "TASKWIRE_PROGRESS_INTERVAL_MS",
    doc: "Shortest time between two progress reports of an attempt; the latest wins.",
    default: DEFAULT_SPEECH_LIMITS.progressIntervalMs,
    min: 0,
    max: 60_000,
    unit: "ms",
  }),
  logLines: wholeNumber({
    env: "TASKWIRE_LOG_LINES",
    doc: "Log lines kept of one attempt.",
    default: DEFAULT_SPEECH_LIMITS.logLines,
    min: 1,
    max: 100_000,
  }),
  logBytes: wholeNumber({
    env: "TASKWIRE_LOG_BYTES",
    doc: "Bytes of log lines kept of one attempt.",
    default: DEFAULT_SPEECH_LIMITS.logBytes,
    min: 1024,
    max: 64 * 1024 * 1024,
    unit: "bytes",
  }),
  outputBytes: wholeNumber({
    env: "TASKWIRE_OUTPUT_BYTES",
    doc: "Bytes of output kept of one attempt.",
    default: DEFAULT_SPEECH_LIMITS.outputBytes,
    min: 1024,
    max: 64 * 1024 * 1024,
    unit: "bytes",
  }),
  reportBufferBytes: wholeNumber({
    env: "TASKWIRE_REPORT_BUFFER_BYTES",
    doc: "Unstored reports from which on no new task is taken and log lines and output are dropped.",
    default: 16 * 1024 * 1024,
    min: 64 * 1024,
    max: 1024 * 1024 * 1024,
    unit: "bytes",
  }),
  httpHost: text({
    env: "TASKWIRE_HTTP_HOST",
    doc: "Address of the HTTP port for `/livez`, `/readyz` and `/metrics`.",
    default: "127.0.0.1",
    allowed: "an address",
  }),
  httpPort: wholeNumber({
    env: "TASKWIRE_HTTP_PORT",
    doc: "Port of `/livez`, `/readyz` and `/metrics`; off unless it is set, as several workers share a machine; 0 takes a free one, -1 opens none.",
    default: -1,
    min: -1,
    max: 65_535,
  }),
  ...handlerSettingsSchema,
  ...encryptionSettings,
  logLevel: oneOf<LogLevel>({
    env: "TASKWIRE_LOG_LEVEL",
    doc: "Least grave level that is logged.",
    default: "info",
    values: LOG_LEVELS,
  }),
} satisfies Schema;

/** The values of the worker's settings. */
export type WorkerSettings = Settings<typeof workerSettingsSchema>;

/** What is wrong with settings that are allowed one by one: the worker does not start. */
export function workerSettingsProblems(settings: WorkerSettings): readonly string[] {
  return [...encryptionProblems(settings), ...handlerSettingsProblems(settings)];
}

/** The part of {@link workerSettingsProblems} that is about handlers. */
export function handlerSettingsProblems(settings: HandlerSettings): readonly string[] {
  return [...languageModelProblems(settings), ...commandFileProblems(settings)];
}
