import { expect } from "chai";
import { environment } from "#libs/config/environment.js";
import type { TaskEvent } from "#libs/client/taskwire-client.js";
import { describeWithFaults } from "#test/faults/describe-with-faults.js";
import { startFaultyStack, type FaultyStack } from "#test/faults/faulty-stack.js";
import { losePower } from "#test/faults/lose-power.js";
import { Random } from "#test/robustness/random.js";
import { eventsSoFar, expectWholeHistory } from "#test/support/follow-task.js";
import { SteadyCreates } from "#test/support/steady-creates.js";
import { until } from "#test/support/until.js";

const ROUNDS = 3;
const WATCHED_PER_ROUND = 8;

/** What an event says, to be compared. */
const essence = ({ sequence, revision, kind }: TaskEvent) => `${sequence} ${revision} ${kind?.$case}`;

describeWithFaults("When the power of the task-service goes under load (Durable accept)", function () {
  this.timeout(120_000);
  const seed = Number(environment()["TASKWIRE_TEST_SEED"] ?? Date.now() % 1_000_000);
  let test: FaultyStack;

  before(async () => {
    test = await startFaultyStack({ keepsShadow: true });
  });
  after(() => test?.stop());

  it(`no accepted task and no event that a watcher saw is missing afterwards (seed ${seed})`, async () => {
    const { client, shim, stack } = test;
    const random = new Random(seed);
    const seen = new Map<string, TaskEvent[]>();
    const accepted: string[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const creates = new SteadyCreates(client, "inline.echo");
      const watching = new AbortController();
      await creates.more(random.int(20, 400));
      const watched = await Promise.all(
        Array.from({ length: WATCHED_PER_ROUND }, () => client.create("flow.count", { to: 200 })),
      );
      const watches = watched.map(async ({ id }) => {
        const events: TaskEvent[] = [];
        seen.set(id, events);
        for await (const frame of client.watch(id, { afterSequence: 0, signal: watching.signal })) {
          if (frame.kind === "event") events.push(frame.event);
        }
      });
      for (const watch of watches) watch.catch(() => undefined);
      await until(
        "a watcher has seen several events",
        () => [...seen.values()].some(({ length }) => length > 3),
        30_000,
      );
      await creates.more(random.int(1, 100));

      await stack.service.kill();
      // What a watcher is told after the restart would prove nothing about what it was told before.
      watching.abort();
      await Promise.allSettled(watches);
      const chance = round === 0 ? 0 : random.next();
      losePower(shim, { survives: () => random.chance(chance) });
      await stack.service.start();
      accepted.push(...(await creates.stop()), ...watched.map(({ id }) => id));

      for (const [id, events] of seen) {
        const history = await eventsSoFar(client, id);
        expect(history.slice(0, events.length).map(essence)).to.deep.equal(events.map(essence));
      }
      const kept = new Set<string>();
      for await (const { id } of client.list({ pageSize: 1000 })) kept.add(id);
      expect(
        accepted.filter((id) => !kept.has(id)),
        "accepted, but missing",
      ).to.deep.equal([]);
    }
    await Promise.all([...seen.keys()].map((id) => client.cancel(id).catch(() => undefined)));
    await until(
      "every task has ended",
      async () => {
        const ends = await Promise.all([...seen.keys()].map((id) => client.get(id)));
        return ends.every(({ endTime }) => endTime !== undefined);
      },
      60_000,
    );
    for (const id of seen.keys()) expectWholeHistory(await eventsSoFar(client, id));
    expect(await test.findings()).to.equal("");
  });
});
