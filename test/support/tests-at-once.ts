import { deferred, type Deferred } from "#libs/async/deferred.js";
import { environment } from "#libs/config/environment.js";

/** A title and what it says is tested. */
type TestAtOnce = readonly [title: string, run: () => Promise<void>];

/**
 * Declares tests of which at most `atOnce` run at the same time, each with a stack of its own: for what spends its
 * time waiting. Half as many where other files run beside this one. Mocha reports each by itself; give the suite a time limit for all of them. Call it once in a `describe`.
 */
export function testsAtOnce(atOnce: number, tests: readonly TestAtOnce[]): void {
  const waiting = tests.map(([title, run]) => ({ title, run, outcome: deferred<undefined>() }));
  const all = [...waiting];
  let lanes: Promise<unknown> = Promise.resolve();

  before(() => {
    const isBesideOthers = environment()["MOCHA_WORKER_ID"] !== undefined;
    const length = isBesideOthers ? Math.ceil(atOnce / 2) : atOnce;
    lanes = Promise.all(Array.from({ length }, () => runAll(waiting)));
  });
  after(() => lanes);

  for (const { title, outcome } of all) it(title, () => outcome.promise);
}

async function runAll(
  waiting: { readonly run: () => Promise<void>; readonly outcome: Deferred<undefined> }[],
): Promise<void> {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    // It is told by the test when its turn comes.
    next.outcome.promise.catch(() => undefined);
    const { resolve, reject } = next.outcome;
    await next.run().then(() => {
      resolve(undefined);
    }, reject);
  }
}
