import { Command } from "commander";
import pc from "picocolors";
import { environment } from "#libs/config/environment.js";
import { readSettings, type Schema, type Settings } from "#libs/config/settings.js";
import { maskCredentials } from "#libs/log/mask-credentials.js";
import { taskServiceSettings } from "#task-service/settings.js";
import { workerSettingsSchema } from "#worker/settings.js";
import { clientSettings } from "#cli/client-settings.js";
import { checkBus } from "#cli/doctor/bus-check.js";
import { type CheckResult, within } from "#cli/doctor/check.js";
import { checkConfiguration } from "#cli/doctor/configuration-check.js";
import { checkDatabase } from "#cli/doctor/database-check.js";
import { checkService, type ServiceCheck } from "#cli/doctor/service-check.js";
import { EXIT } from "#cli/exit-codes.js";
import { parseSpan } from "#cli/parse-values.js";
import { addSchemaFlags, givenFlags } from "#cli/schema-flags.js";

/** What the doctor needs to know to look at the parts. */
const PLACES = {
  address: clientSettings.address,
  natsUrl: taskServiceSettings.natsUrl,
  prefix: taskServiceSettings.prefix,
  database: taskServiceSettings.database,
  queues: workerSettingsSchema.queues,
} satisfies Schema;

/** All questions to one part together take at most so many times as long as one. */
const QUESTIONS = 4;
const MARKS = { well: pc.green("✔"), wrong: pc.red("✘"), unknown: pc.yellow("?") };

/** `taskwire doctor`: looks at every part and says what to do. */
export function doctorCommand(): Command {
  const command = addSchemaFlags(new Command("doctor"), PLACES)
    .summary("look at every part of an installation and say what to do")
    .description(
      "Looks at the settings in the environment, the task-service, its workers, their clocks, NATS and the database file, and says what to\n" +
        "do where something is wrong. Give it the environment of the services and run it where the database is. It changes nothing.\n" +
        "✔ all is well, ✘ something is wrong, ? it could not be found out. Exit code: 0 nothing is wrong, 1 something is.",
    )
    .option("--timeout <span>", "how long to wait for each answer", parseSpan, 3000)
    .option("--json", "one JSON object per check")
    .addHelpText("after", "\nExample:\n  $ taskwire doctor --address 127.0.0.1:50051 --database /data/taskwire.db");
  return command.action(async () => {
    const { timeout, json } = command.opts<{ timeout: number; json?: boolean }>();
    let isWrong = false;
    for await (const results of examine(givenFlags(command, PLACES), timeout)) {
      isWrong ||= results.some(({ status }) => status === "wrong");
      for (const result of results)
        process.stdout.write(`${json === true ? JSON.stringify(result) : lineOf(result)}\n`);
    }
    // A connection that a silent server accepted cannot be taken back from NATS' client and would keep the process alive.
    await new Promise<void>((resolve) => process.stdout.write("", () => resolve()));
    process.exit(isWrong ? EXIT.failed : EXIT.ok);
  });
}

/** Looks at one part after the other. */
async function* examine(
  flags: Readonly<Record<string, string | undefined>>,
  timeoutMs: number,
): AsyncGenerator<readonly CheckResult[]> {
  const env = environment();
  yield checkConfiguration(env);
  const { address, natsUrl, prefix, database, queues } = readPlaces(flags, env);
  const limitMs = QUESTIONS * timeoutMs;
  let service: ServiceCheck | undefined;
  yield await within("task-service", limitMs, async () => {
    service = await checkService(address, timeoutMs);
    return service.results;
  });
  const bus = { url: natsUrl, prefix, queues: service?.queues ?? queues, timeoutMs };
  yield await within("NATS", limitMs, () => checkBus(bus, maskCredentials(natsUrl)));
  yield await within("database", limitMs, () => checkDatabase(database));
}

/** Settings of the environment that are not allowed are a finding of their own; the default stands in for them. */
function readPlaces(
  flags: Readonly<Record<string, string | undefined>>,
  env: Readonly<Record<string, string | undefined>>,
): Settings<typeof PLACES> {
  const isAllowed = (name: string, text: string | undefined) => {
    const setting = Object.values(PLACES).find((candidate) => candidate.env === name);
    try {
      setting?.parse(text ?? "");
      return true;
    } catch {
      return false;
    }
  };
  return readSettings(PLACES, {
    flags,
    env: Object.fromEntries(Object.entries(env).filter(([name, text]) => isAllowed(name, text))),
  });
}

function lineOf({ status, name, found, advice }: CheckResult): string {
  const line = `${MARKS[status]} ${name}: ${found}`;
  return advice === "" ? line : `${line}\n    → ${advice}`;
}
