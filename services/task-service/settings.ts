import { encryptionSettings } from "#libs/config/encryption.js";
import { LOG_LEVELS, type LogLevel } from "#libs/log/logger.js";
import { oneOf, text, toggle, wholeNumber } from "#libs/config/setting-kinds.js";
import type { Settings } from "#libs/config/settings.js";

/** Every setting of the task-service. */
export const taskServiceSettings = {
  grpcHost: text({
    env: "TASKWIRE_GRPC_HOST",
    doc: "Address the gRPC server listens on; `0.0.0.0` for all interfaces. There is no authentication yet: keep it private.",
    default: "127.0.0.1",
    allowed: "an address",
  }),
  grpcPort: wholeNumber({
    env: "TASKWIRE_GRPC_PORT",
    doc: "Port of the gRPC server; 0 takes a free one.",
    default: 50051,
    min: 0,
    max: 65_535,
  }),
  httpHost: text({
    env: "TASKWIRE_HTTP_HOST",
    doc: "Address of the HTTP port for `/livez`, `/readyz` and `/metrics`.",
    default: "127.0.0.1",
    allowed: "an address",
  }),
  httpPort: wholeNumber({
    env: "TASKWIRE_HTTP_PORT",
    doc: "Port of `/livez`, `/readyz` and `/metrics`; 0 takes a free one, -1 opens none.",
    default: 9464,
    min: -1,
    max: 65_535,
  }),
  database: text({
    env: "TASKWIRE_DATABASE",
    doc: "Path of the SQLite database; its folder is made.",
    default: ".taskwire/taskwire.db",
    allowed: "a path",
  }),
  natsUrl: text({
    env: "TASKWIRE_NATS_URL",
    doc: "Where NATS is; several servers separated by commas.",
    default: "nats://127.0.0.1:4222",
    allowed: "nats:// or tls:// addresses",
    pattern: /^(nats|tls):\/\/[^\s,]+(,(nats|tls):\/\/[^\s,]+)*$/,
  }),
  prefix: text({
    env: "TASKWIRE_PREFIX",
    doc: "First token of every NATS subject and stream; installations that share a NATS need different ones.",
    default: "taskwire",
    allowed: "1 to 32 letters, digits, _ and -",
    pattern: /^[A-Za-z0-9_-]{1,32}$/,
  }),
  leaseMs: wholeNumber({
    env: "TASKWIRE_LEASE_MS",
    doc: "An attempt whose worker was not heard of for so long is given to another worker. Below 5 s a NATS that hangs can end leases falsely.",
    default: 10_000,
    min: 1000,
    max: 3_600_000,
    unit: "ms",
  }),
  poisonLosses: wholeNumber({
    env: "TASKWIRE_POISON_LOSSES",
    doc: "A task that lost so many workers in a row, the last one while nothing ran beside it, ends FAILED (`POISONED`).",
    default: 3,
    min: 1,
    max: 100,
  }),
  webhookQueue: text({
    env: "TASKWIRE_WEBHOOK_QUEUE",
    doc: "The queue of the `webhook.deliver` tasks that tell of ended tasks; empty: the queue of the task that ended.",
    default: "",
    allowed: "a queue name",
    pattern: /^([a-z0-9][a-z0-9_-]{0,62})?$/,
  }),
  queueCapacity: wholeNumber({
    env: "TASKWIRE_QUEUE_CAPACITY",
    doc: "Unfinished tasks a queue may hold; more are refused with RESOURCE_EXHAUSTED (`QUEUE_FULL`).",
    default: 1_000_000,
    min: 1,
    max: 1_000_000_000,
  }),
  redispatchMs: wholeNumber({
    env: "TASKWIRE_REDISPATCH_MS",
    doc: "A dispatched task that no worker has started for so long is looked after and, if NATS lost it, dispatched again.",
    default: 10_000,
    min: 500,
    max: 3_600_000,
    unit: "ms",
  }),
  retentionHours: wholeNumber({
    env: "TASKWIRE_RETENTION_HOURS",
    doc: "How long finished tasks and their events are kept; 0 keeps them for ever.",
    default: 168,
    min: 0,
    max: 876_000,
    unit: "h",
  }),
  watchHeartbeatMs: wholeNumber({
    env: "TASKWIRE_WATCH_HEARTBEAT_MS",
    doc: "Idle watch streams get a heartbeat frame this often.",
    default: 15_000,
    min: 100,
    max: 600_000,
    unit: "ms",
  }),
  keepaliveMs: wholeNumber({
    env: "TASKWIRE_KEEPALIVE_MS",
    doc: "A client's connection that was silent for so long is pinged, and closed with its watches unless it answers in that time, or in 20 s.",
    default: 30_000,
    min: 1000,
    max: 3_600_000,
    unit: "ms",
  }),
  maxWatches: wholeNumber({
    env: "TASKWIRE_MAX_WATCHES",
    doc: "Watch streams in all; more are refused with RESOURCE_EXHAUSTED (`TOO_MANY_WATCHES`).",
    default: 20_000,
    min: 1,
    max: 1_000_000,
  }),
  maxWatchesPerConnection: wholeNumber({
    env: "TASKWIRE_MAX_WATCHES_PER_CONNECTION",
    doc: "Watch streams of one connection, which can carry 10,000 calls at once.",
    default: 5000,
    min: 1,
    max: 10_000,
  }),
  reflection: toggle({
    env: "TASKWIRE_REFLECTION",
    doc: "Whether the server describes itself to grpcurl and its like.",
    default: true,
  }),
  shutdownGraceMs: wholeNumber({
    env: "TASKWIRE_SHUTDOWN_GRACE_MS",
    doc: "How long calls under way may take to finish when the service stops.",
    default: 5000,
    min: 0,
    max: 600_000,
    unit: "ms",
  }),
  ...encryptionSettings,
  logLevel: oneOf<LogLevel>({
    env: "TASKWIRE_LOG_LEVEL",
    doc: "Least grave log lines that are written.",
    default: "info",
    values: LOG_LEVELS,
  }),
};

/** The settings' values. */
export type TaskServiceSettings = Settings<typeof taskServiceSettings>;
