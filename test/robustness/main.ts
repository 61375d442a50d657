import { parseArgs } from "node:util";
import { makeSchedule, type Schedule } from "#test/robustness/schedule.js";
import { runFolder } from "#test/robustness/run-folder.js";
import { reportLine, reportText } from "#test/robustness/report-text.js";
import { runRobustness } from "#test/robustness/run-robustness.js";
import { stepText } from "#test/robustness/steps.js";

const HELP = `Runs a random load under random faults and checks every promise afterwards.

  --seed N       the first seed; the same seed repeats the same schedule (default: random)
  --minutes M    how long faults go on in each round (default 2)
  --rounds R     rounds with one seed after the other (default 1)
  --workers W    how many workers (default 2)
  --rate N       operations of clients per second (default 6)
  --keep         keep the folder of a round even when every promise was held
  --plan         only print the schedule
`;

const out = (text: string) => process.stdout.write(`${text}\n`);

/** The whole run; resolves with the exit code: 1 when a promise was broken. */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seed: { type: "string" },
      minutes: { type: "string", default: "2" },
      rounds: { type: "string", default: "1" },
      workers: { type: "string", default: "2" },
      rate: { type: "string", default: "6" },
      keep: { type: "boolean", default: false },
      plan: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    out(HELP);
    return 0;
  }
  const firstSeed = values.seed === undefined ? Math.floor(Math.random() * 1_000_000) : Number(values.seed);
  let broken = 0;
  for (let round = 0; round < Number(values.rounds); round += 1) {
    const schedule = makeSchedule({
      seed: firstSeed + round,
      durationMs: Number(values.minutes) * 60_000,
      workers: Number(values.workers),
      operationsPerSecond: Number(values.rate),
    });
    out(`seed ${schedule.seed}, schedule ${schedule.hash}, ${schedule.steps.length} steps`);
    if (values.plan) {
      for (const step of schedule.steps) out(stepText(step));
      continue;
    }
    if (!(await oneRound(schedule, values.keep))) broken += 1;
  }
  return broken === 0 ? 0 : 1;
}

/** Whether every promise was held. */
async function oneRound(schedule: Schedule, keeps: boolean): Promise<boolean> {
  const folder = runFolder(schedule.seed);
  const report = await runRobustness(schedule, { folder: folder.path, say: out, keeps }).catch((error: unknown) => {
    out(`the run of seed ${schedule.seed} could not be carried out; what there is is in ${folder.path}`);
    throw error;
  });
  out(`\n${reportText(report)}\n`);
  out(reportLine(report));
  const isHeld = report.verdicts.every(({ held }) => held);
  if (isHeld && !keeps) folder.remove();
  else out(`the history and the logs are in ${folder.path}; repeat with --seed ${schedule.seed}`);
  return isHeld;
}

process.exitCode = await main();
