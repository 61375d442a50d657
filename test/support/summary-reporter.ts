import Mocha from "mocha";

const { EVENT_RUN_END } = Mocha.Runner.constants;

/**
 * Mocha's own `spec` report, followed by a last line that stands alone: `N passed, N failed`, with `, N skipped` where some were.
 */
export default class SummaryReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options?: Mocha.MochaOptions) {
    super(runner, options);
    runner.once(EVENT_RUN_END, () => {
      process.stdout.write(`${summaryLine(this.stats)}\n`);
    });
  }
}

/** The last line of a run. A failed hook counts as a failure. */
export function summaryLine(stats: {
  readonly passes: number;
  readonly failures: number;
  readonly pending: number;
}): string {
  const skipped = stats.pending === 0 ? "" : `, ${stats.pending} skipped`;
  return `${stats.passes} passed, ${stats.failures} failed${skipped}`;
}
