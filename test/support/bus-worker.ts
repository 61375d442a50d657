import { readSettings } from "#libs/config/settings.js";
import { silentLogger, type Logger } from "#libs/log/logger.js";
import { workerSettingsSchema } from "#worker/settings.js";
import { createWorker, type WorkerProcess } from "#worker/worker.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";

/** A worker in this process with the fixture tasks, opposite a `ServiceSide`; not started. `settings` are variables of its environment. */
export function busWorker(
  natsUrl: string,
  settings: Readonly<Record<string, string>> = {},
  logger: Logger = silentLogger(),
): WorkerProcess {
  const modules = ["process-tasks.js", "thread-tasks.js", "inline-tasks.js"].map(fixturePath);
  const env = {
    TASKWIRE_NATS_URL: natsUrl,
    TASKWIRE_PREFIX: "test",
    TASKWIRE_TASKS: modules.join(","),
    TASKWIRE_BUILTIN_TASKS: "false",
    TASKWIRE_HEARTBEAT_MS: "200",
    TASKWIRE_CANCEL_GRACE_MS: "300",
    TASKWIRE_SLOTS: "4",
    TASKWIRE_LOG_LEVEL: "silent",
    ...settings,
  };
  return createWorker(readSettings(workerSettingsSchema, { env }), logger);
}
