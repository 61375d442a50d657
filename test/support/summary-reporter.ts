import { writeFileSync } from "node:fs";
import { inspect } from "node:util";
import Mocha from "mocha";
import { z } from "zod";

const { EVENT_RUN_END, EVENT_TEST_FAIL } = Mocha.Runner.constants;

/** How many tests of a run ended in which way. A failed hook counts as a failure, in `skipped` are those left out. */
export const runCounts = z.object({ passed: z.number(), failed: z.number(), skipped: z.number() });
export type RunCounts = z.infer<typeof runCounts>;

const failedFile = z.object({ file: z.string() });
const reporterOptions = z.object({ counts: z.string().optional() }).catch({});

/**
 * Mocha's own `spec` report, followed by a last line that stands alone: `N passed, N failed`, with `, N skipped` where some were. With the
 * reporter option `counts`, the path of a file, it writes {@link RunCounts} into that as JSON instead, unless the run does not come to its end.
 */
export default class SummaryReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options?: Mocha.MochaOptions) {
    super(runner, options);
    const { counts } = reporterOptions.parse(options?.reporterOptions);
    let isEnded = false;
    runner.on(EVENT_TEST_FAIL, (_test, error: unknown) => {
      // What ends or keeps a whole file from running is told without its name, and after the list of failures but for the first.
      const file = failedFile.safeParse(error).data?.file;
      if (file !== undefined) process.stdout.write(`  in ${file}\n`);
      if (isEnded) process.stdout.write(`${inspect(error)}\n`);
    });
    runner.once(EVENT_RUN_END, () => {
      isEnded = true;
      if (counts === undefined) process.stdout.write(`${summaryLine(this.#counts())}\n`);
      else process.once("exit", () => writeFileSync(counts, JSON.stringify(this.#counts())));
    });
  }

  #counts(): RunCounts {
    const { passes, failures, pending } = this.stats;
    return { passed: passes, failed: failures, skipped: pending };
  }
}

/** The last line of a run. */
export function summaryLine({ passed, failed, skipped }: RunCounts): string {
  return `${passed} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}`;
}
