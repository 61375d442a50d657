import { Command } from "commander";
import pc from "picocolors";
import { encryptionSettings, readEncryption } from "#libs/config/encryption.js";
import { environment } from "#libs/config/environment.js";
import { readSettings } from "#libs/config/settings.js";
import { errorMessage } from "#libs/errors/error-message.js";
import { taskServiceSettings } from "#task-service/settings.js";
import type { Finding, VerifyTotals } from "#task-service/verify.js";

/** Exit codes of `taskwire verify`. */
const SOUND = 0;
const FINDINGS = 1;
const UNREADABLE = 2;

interface VerifyFlags {
  readonly database?: string;
  readonly json?: boolean;
  readonly quick?: boolean;
}

/** `taskwire verify`: recomputes every task from its events. */
export function verifyCommand(): Command {
  const command = new Command("verify")
    .summary("recompute every task from its events and report what differs")
    .description(
      "Reads the database, which a task-service may be using, and recomputes every task and its attempts from the events.\n" +
        "Prints a line for everything that differs, is missing or belongs to nothing. Changes nothing. Payloads and results are not shown.\n" +
        "With encryption it needs the keys (ENCRYPTION_KEY, ENCRYPTION_OLD_KEYS); what it has none for is counted and left out.\n" +
        "Exit code: 0 all is sound, 1 there are findings, 2 the database could not be read (to its end).",
    )
    .option("--database <path>", "the SQLite file (default .taskwire/taskwire.db; TASKWIRE_DATABASE)")
    .option("--quick", "leave out whether indexes and tables of the file agree")
    .option("--json", "one JSON object per finding, then one with the totals")
    .addHelpText("after", "\nExample:\n  $ taskwire verify --database /data/taskwire.db");
  return command.action(async () => {
    process.exitCode = await runVerify(command.opts<VerifyFlags>());
  });
}

async function runVerify({ database: flag, json, quick }: VerifyFlags): Promise<number> {
  const schema = { database: taskServiceSettings.database };
  const { database } = readSettings(schema, { flags: { database: flag }, env: environment() });
  // Keys are needed for reading only, and what there is no key for is left out.
  const { keys } = readEncryption({ ...readSettings(encryptionSettings, { env: environment() }), encryption: "off" });
  const show = json === true ? showJson : showText;
  // Loaded here, so that the other commands start without it.
  const { verifyDatabase } = await import("#task-service/verify.js");
  try {
    const totals = verifyDatabase(database, { isQuick: quick === true, keys, onFinding: show.finding });
    show.totals(database, totals);
    return totals.findings === 0 ? SOUND : FINDINGS;
  } catch (error) {
    process.stderr.write(`${pc.red("error:")} cannot read ${database}: ${errorMessage(error)}\n`);
    return UNREADABLE;
  }
}

const showJson = {
  finding: (finding: Finding) => {
    process.stdout.write(`${JSON.stringify(finding)}\n`);
  },
  totals: (database: string, totals: VerifyTotals) => {
    process.stdout.write(`${JSON.stringify({ kind: "totals", database, ...totals })}\n`);
  },
};

const showText = {
  finding: ({ kind, taskId, what, expected, found }: Finding) => {
    const where = taskId === null ? "" : ` task ${taskId}`;
    process.stdout.write(`${pc.red("✘")} ${kind}${where}: ${what}: expected ${expected}, found ${found}\n`);
  },
  totals: (database: string, { tasks, events, attempts, sealedEvents, findings }: VerifyTotals) => {
    const mark = findings === 0 ? pc.green("✔") : pc.red("✘");
    const result = findings === 0 ? "sound" : `${findings} finding${findings === 1 ? "" : "s"}`;
    process.stdout.write(
      `${mark} ${database}: ${tasks} tasks, ${events} events, ${attempts} stored attempts: ${result}\n`,
    );
    if (sealedEvents > 0)
      process.stdout.write(`  ${sealedEvents} events are sealed and could not be read: there is no key for them\n`);
  },
};
