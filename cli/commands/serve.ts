import { Command } from "commander";
import { encryptionProblems } from "#libs/config/encryption.js";
import { environment } from "#libs/config/environment.js";
import { readSettings } from "#libs/config/settings.js";
import { createLogger } from "#libs/log/logger.js";
import { taskServiceSettings } from "#task-service/settings.js";
import { runProcess } from "#cli/run-process.js";
import { addSchemaFlags, givenFlags } from "#cli/schema-flags.js";

/** `taskwire serve`: runs the task-service. */
export function serveCommand(): Command {
  const command = addSchemaFlags(new Command("serve"), taskServiceSettings)
    .summary("run the task-service")
    .description(
      "Runs the task-service: gRPC, database, dispatch. Needs a NATS with JetStream. Logs go to stdout as JSON lines.\n" +
        "SIGTERM or Ctrl-C stops it in order. Exit code 78: the configuration is wrong.",
    )
    .addHelpText(
      "after",
      "\nExample:\n  $ taskwire serve --grpc-host 0.0.0.0 --nats-url nats://nats:4222 --database /data/taskwire.db",
    );
  return command.action(async () => {
    // Loaded here, so that the other commands start without it.
    const { TaskService } = await import("#task-service/task-service.js");
    await runProcess({
      name: "taskwire serve",
      create: () => {
        const settings = readSettings(
          taskServiceSettings,
          { flags: givenFlags(command, taskServiceSettings), env: environment() },
          encryptionProblems,
        );
        const logger = createLogger({ name: "task-service", level: settings.logLevel });
        return { service: new TaskService(settings, logger), logger };
      },
      ready: (service) => ({ grpcPort: service.grpcPort, httpPort: service.httpPort }),
    });
  });
}
