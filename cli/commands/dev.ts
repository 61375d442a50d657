import { resolve } from "node:path";
import { Command } from "commander";
import pc from "picocolors";
import { deferred } from "#libs/async/deferred.js";
import { delay } from "#libs/async/delay.js";
import { errorMessage } from "#libs/errors/error-message.js";
import { EXIT } from "#cli/exit-codes.js";
import { startLocalStack, type LocalStack } from "#cli/local-stack.js";
import { parseList, parseWhole } from "#cli/parse-values.js";
import { startOnUsualPorts } from "#cli/stack/usual-ports.js";

interface DevFlags {
  readonly data: string;
  readonly tasks?: string[];
  readonly workers: number;
  readonly slots?: string;
}

const GRPC_PORT = 50051;
const NATS_PORT = 4222;
const HTTP_PORT = 9464;
const RESTART_WAIT_MS = 1000;

/** `taskwire dev`: everything on this machine until Ctrl-C. */
export function devCommand(): Command {
  const command = new Command("dev")
    .summary("run everything on this machine until Ctrl-C")
    .description(
      "Runs NATS, the task-service and a worker on this machine until Ctrl-C. The usual ports are taken where they are free, else free ones.\n" +
        "TASKWIRE_… settings in the environment count for the services, but for the ports, the database and NATS, which are dev's own.",
    )
    .option("--data <directory>", "where everything is kept", ".taskwire")
    .option("--tasks <file>", "a task module (JavaScript that uses defineTask); may be repeated", parseList)
    .option("--workers <number>", "how many workers", parseWhole, 1)
    .option("--slots <number>", "attempts at once per worker (default: the number of cores)")
    .addHelpText("after", "\nExample:\n  $ taskwire dev --tasks ./dist/my-tasks.js");
  return command.action(async () => {
    process.exitCode = await runDev(command.opts<DevFlags>());
  });
}

async function runDev(flags: DevFlags): Promise<number> {
  const ended = deferred<number>();
  let signals = 0;
  const onSignal = () => {
    signals += 1;
    if (signals > 1) process.exit(EXIT.detached);
    ended.resolve(EXIT.ok);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);
  const usual = { grpc: GRPC_PORT, nats: NATS_PORT, http: HTTP_PORT };
  const stack = await startOnUsualPorts(usual, (ports) =>
    startLocalStack({
      dataDir: flags.data,
      ports,
      workers: flags.workers,
      workerArgs: workerArgs(flags),
      inheritSettings: true,
    }),
  );
  stack.onUnexpectedExit((name, how) => {
    process.stderr.write(`${pc.yellow("!")} ${name} ended with ${how}\n`);
    reviveOrEnd(stack, name).catch((error: unknown) => {
      process.stderr.write(`${pc.red("error:")} ${errorMessage(error)}\n`);
      ended.resolve(EXIT.failed);
    });
  });
  process.stdout.write(welcome(stack, flags));
  const exitCode = await ended.promise;
  process.stdout.write("\nStopping …\n");
  await stack.stop();
  process.stdout.write("Stopped. Everything accepted is kept in the data directory.\n");
  return exitCode;
}

/** Starts a service that died again, as a supervisor would in production. */
async function reviveOrEnd(stack: LocalStack, name: string): Promise<void> {
  await delay(RESTART_WAIT_MS);
  const child = [stack.service, ...stack.workers].find((candidate) => candidate.name === name);
  if (child === undefined) await stack.nats.restart();
  else await child.start();
  process.stderr.write(`${pc.green("✓")} ${name} is running again\n`);
}

function workerArgs(flags: DevFlags): string[] {
  const tasks = (flags.tasks ?? []).flatMap((file) => ["--tasks", resolve(file)]);
  return flags.slots === undefined ? tasks : [...tasks, "--slots", flags.slots];
}

function welcome(stack: LocalStack, flags: DevFlags): string {
  const { address } = stack;
  const flag = address === `127.0.0.1:${GRPC_PORT}` ? "" : ` --address ${address}`;
  const lines = [
    `${pc.bold("Taskwire is running.")} Ctrl-C stops everything.`,
    "",
    `  gRPC   ${address}`,
    `  NATS   ${stack.natsUrl}`,
    `  HTTP   ${stack.httpUrl}   (/metrics, /readyz, /livez)`,
    `  data   ${resolve(flags.data)}   (logs in logs/)`,
    "",
    "In another terminal:",
    `  taskwire run system.health_check${flag}`,
    `  grpcurl -plaintext -d '{"task":{"type":"system.health_check"}}' ${address} taskwire.v1.TaskService/CreateTask`,
    "",
  ];
  return `${lines.join("\n")}\n`;
}
