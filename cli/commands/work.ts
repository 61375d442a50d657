import { Command } from "commander";
import { environment } from "#libs/config/environment.js";
import { readSettings } from "#libs/config/settings.js";
import { createLogger } from "#libs/log/logger.js";
import { workerSettingsProblems, workerSettingsSchema as workerSettings } from "#worker/settings.js";
import { runProcess } from "#cli/run-process.js";
import { addSchemaFlags, givenFlags } from "#cli/schema-flags.js";

/** `taskwire work`: runs a worker. */
export function workCommand(): Command {
  const command = addSchemaFlags(new Command("work"), workerSettings)
    .summary("run a worker")
    .description(
      "Runs a worker: takes tasks from NATS and runs their handlers. Logs go to stdout as JSON lines.\n" +
        "SIGTERM or Ctrl-C drains it: running attempts may finish. A second signal stops them now. Exit code 78: the configuration is wrong.",
    )
    .addHelpText("after", "\nExample:\n  $ taskwire work --tasks ./dist/my-tasks.js --queues default,mail --slots 8");
  return command.action(async () => {
    // Loaded here, so that the other commands start without it.
    const { createWorker } = await import("#worker/worker.js");
    await runProcess({
      name: "taskwire work",
      create: () => {
        const settings = readSettings(
          workerSettings,
          { flags: givenFlags(command, workerSettings), env: environment() },
          workerSettingsProblems,
        );
        const logger = createLogger({ name: "worker", level: settings.logLevel });
        return { service: createWorker(settings, logger), logger };
      },
      ready: (worker) => ({ workerId: worker.workerId, httpPort: worker.httpPort }),
      hurry: (worker) => worker.stop({ hurry: true }),
    });
  });
}
