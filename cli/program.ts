import { readFileSync } from "node:fs";
import { Command } from "commander";
import { attemptsCommand } from "#cli/commands/attempts.js";
import { benchCommand } from "#cli/commands/bench.js";
import { cancelCommand } from "#cli/commands/cancel.js";
import { devCommand } from "#cli/commands/dev.js";
import { doctorCommand } from "#cli/commands/doctor.js";
import { eventsCommand } from "#cli/commands/events.js";
import { explainCommand } from "#cli/commands/explain.js";
import { getCommand } from "#cli/commands/get.js";
import { healthCommand } from "#cli/commands/health.js";
import { listCommand } from "#cli/commands/list.js";
import { logsCommand } from "#cli/commands/logs.js";
import { pingCommand } from "#cli/commands/ping.js";
import { retryCommand } from "#cli/commands/retry.js";
import { runCommand } from "#cli/commands/run.js";
import { serveCommand } from "#cli/commands/serve.js";
import { submitCommand } from "#cli/commands/submit.js";
import { topCommand } from "#cli/commands/top.js";
import { verifyCommand } from "#cli/commands/verify.js";
import { watchCommand } from "#cli/commands/watch.js";
import { workCommand } from "#cli/commands/work.js";
import { workersCommand } from "#cli/commands/workers.js";
import { demoCommand } from "#cli/demo/demo-command.js";
import { initCommand } from "#cli/init/init-command.js";

const clientCommands = [
  submitCommand,
  runCommand,
  watchCommand,
  listCommand,
  getCommand,
  attemptsCommand,
  eventsCommand,
  logsCommand,
  explainCommand,
  cancelCommand,
  retryCommand,
  workersCommand,
  topCommand,
  pingCommand,
  healthCommand,
];

/** The `taskwire` command line. Parse errors and `--help` throw commander's `CommanderError`. */
export function buildProgram(): Command {
  const program = new Command("taskwire")
    .description("Durable background tasks over gRPC, with a watch that never skips, repeats or lies.")
    .version(ownVersion(), "-V, --version", "print the version")
    .addHelpText(
      "after",
      `
Getting started:
  $ taskwire dev                                  everything on this machine
  $ taskwire run system.health_check              in another terminal

Exit codes:
  0 fine   1 the task failed, or another error   2 wrong usage   3 the task was cancelled
  4 the service cannot be reached   5 not found   75 refused for now, try later   78 wrong configuration
  130 detached with Ctrl-C`,
    );
  program.commandsGroup("Services:");
  for (const create of [devCommand, serveCommand, workCommand]) program.addCommand(create());
  program.commandsGroup("Tasks:");
  for (const create of clientCommands) {
    program.addCommand(
      create().option(
        "--address <host:port>",
        "where the task-service listens (default 127.0.0.1:50051; TASKWIRE_ADDRESS)",
      ),
    );
  }
  program.commandsGroup("Write handlers:");
  program.addCommand(initCommand());
  program.commandsGroup("Look after:");
  for (const create of [doctorCommand, verifyCommand]) program.addCommand(create());
  program.commandsGroup("Show and measure:");
  for (const create of [demoCommand, benchCommand]) program.addCommand(create());
  for (const command of [program, ...program.commands])
    command.exitOverride().showHelpAfterError("(run with --help for how it is used)");
  return program;
}

function ownVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  return typeof manifest === "object" && manifest !== null && "version" in manifest
    ? String(manifest.version)
    : "unknown";
}
