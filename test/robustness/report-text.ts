import type { Verdict } from "#test/robustness/evidence.js";
import type { RunReport } from "#test/robustness/run-robustness.js";

const SHOWN_EVIDENCE = 10;

/** What a run came to, for people: a line for each promise, with what speaks against it. */
export function reportText({ schedule, verdicts, faults, counts }: RunReport): string {
  const numbers = Object.entries(counts).map(([name, count]) => `${count} ${words(name)}`);
  return [
    `seed ${schedule.seed}, schedule ${schedule.hash}, ${schedule.durationMs / 1000} s`,
    numbers.join(", "),
    `faults: ${[...faults].map(([kind, count]) => `${count} ${kind}`).join(", ")}`,
    "",
    ...verdicts.flatMap(verdictLines),
  ].join("\n");
}

/** One line about a run, for a log of many. */
export function reportLine({ schedule, verdicts, faults, counts }: RunReport): string {
  const broken = verdicts.filter(({ held }) => !held);
  const verdict =
    broken.length === 0
      ? `all ${verdicts.length} promises HELD`
      : `BROKEN: ${broken.map(({ promise }) => promise).join("; ")}`;
  const made = [...faults].filter(([kind]) => !kind.startsWith("left out")).reduce((sum, [, count]) => sum + count, 0);
  return `seed ${schedule.seed} | schedule ${schedule.hash} | ${schedule.durationMs / 60_000} min | ${verdict} | ${made} faults | ${Object.entries(
    counts,
  )
    .map(([name, count]) => `${count} ${words(name)}`)
    .join(", ")}`;
}

function verdictLines({ promise, held, checked, unit, notes, evidence }: Verdict): string[] {
  const more = evidence.length - SHOWN_EVIDENCE;
  return [
    `${held ? "HELD  " : "BROKEN"}  ${promise} (${checked} ${unit})`,
    ...notes.map((note) => `          ${note}`),
    ...evidence.slice(0, SHOWN_EVIDENCE).map((line) => `        ✗ ${line}`),
    ...(more > 0 ? [`        … and ${more} more`] : []),
  ];
}

function words(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
