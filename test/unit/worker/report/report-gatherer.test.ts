import { expect } from "chai";
import { deferred, type Deferred } from "#libs/async/deferred.js";
import { silentLogger } from "#libs/log/logger.js";
import { ReportBatch, type Report } from "#libs/proto/gen/taskwire/bus/v1/report.js";
import { KeyRing, NO_KEYS } from "#libs/sealing/key-ring.js";
import { MAX_BUS_BODY_BYTES } from "#libs/tasks/limits.js";
import { ReportGatherer } from "#worker/report/report-gatherer.js";
import { until } from "#test/support/until.js";

interface Published {
  readonly batch: ReportBatch;
  readonly bytes: number;
  readonly messageId: string;
  readonly answer: Deferred<unknown>;
}

/** A store under the test's control: every publish waits until the test answers it. */
function setUp(options: { lanes?: number; crowdedBytes?: number } = {}) {
  const published: Published[] = [];
  let rooms = 0;
  const gatherer = new ReportGatherer({
    workerId: "w1",
    publish: (data, messageId) => {
      const answer = deferred<unknown>();
      published.push({ batch: ReportBatch.decode(data), bytes: data.length, messageId, answer });
      return answer.promise;
    },
    ring: new KeyRing(NO_KEYS),
    crowdedBytes: options.crowdedBytes ?? 1_000_000,
    onRoom: () => (rooms += 1),
    logger: silentLogger(),
    lanes: options.lanes ?? 1,
  });
  const publishedAt = (index: number) => until(`publish ${index}`, () => published[index]);
  return { gatherer, published, publishedAt, rooms: () => rooms };
}

function report(taskId: string, number: number, resultJson = "null"): Report {
  return { taskId, attempt: 1, number, kind: { $case: "succeeded", value: { resultJson, warnings: [] } } };
}

describe("ReportGatherer", () => {
  it("sends what came in one turn of the event loop as one batch", async () => {
    const { gatherer, publishedAt, published } = setUp();
    for (let number = 1; number <= 5; number += 1) gatherer.add(report("a", number));
    const { batch, messageId } = await publishedAt(0);
    expect(batch).to.deep.include({ workerId: "w1", number: 1 });
    expect(batch.reports.map(({ number }) => number)).to.deep.equal([1, 2, 3, 4, 5]);
    expect(messageId).to.equal("w1:1");
    expect(published).to.have.length(1);
  });

  it("gathers the next batch while one is under way", async () => {
    const { gatherer, published, publishedAt } = setUp();
    gatherer.add(report("a", 1));
    const first = await publishedAt(0);
    gatherer.add(report("a", 2));
    gatherer.add(report("a", 3));
    expect(published).to.have.length(1);
    first.answer.resolve(undefined);
    const second = await publishedAt(1);
    expect(second.batch.reports.map(({ number }) => number)).to.deep.equal([2, 3]);
    expect(second.messageId).to.equal("w1:2");
  });

  it("tells when a report is stored, and not before", async () => {
    const { gatherer, publishedAt } = setUp();
    let stored = false;
    gatherer.add(report("a", 1), () => (stored = true));
    const first = await publishedAt(0);
    expect(stored).to.equal(false);
    first.answer.resolve(undefined);
    await gatherer.flush();
    expect(stored).to.equal(true);
  });

  it("tries again with the same bytes and id, and keeps the order behind it", async () => {
    const { gatherer, publishedAt } = setUp();
    gatherer.add(report("a", 1));
    (await publishedAt(0)).answer.reject(new Error("NATS is away"));
    gatherer.add(report("a", 2));
    const again = await publishedAt(1);
    expect(again.messageId).to.equal("w1:1");
    expect(again.batch.reports.map(({ number }) => number)).to.deep.equal([1]);
    again.answer.reject(new Error("NATS is still away"));
    (await publishedAt(2)).answer.resolve(undefined);
    expect((await publishedAt(3)).batch.reports.map(({ number }) => number)).to.deep.equal([2]);
  });

  it("keeps every batch within the largest body", async () => {
    const { gatherer, published, publishedAt } = setUp();
    for (let number = 1; number <= 6; number += 1)
      gatherer.add(report("a", number, JSON.stringify("x".repeat(200_000))));
    for (let index = 0; index < 3; index += 1) (await publishedAt(index)).answer.resolve(undefined);
    await gatherer.flush();
    expect(published.map(({ batch }) => batch.reports.length)).to.deep.equal([2, 2, 2]);
    expect(Math.max(...published.map(({ bytes }) => bytes))).to.be.at.most(MAX_BUS_BODY_BYTES);
  });

  it("keeps the reports of a task in one lane while others go on", async () => {
    const { gatherer, publishedAt, published } = setUp({ lanes: 4 });
    gatherer.add(report("0", 1));
    gatherer.add(report("1", 1));
    const lanes = [await publishedAt(0), await publishedAt(1)];
    gatherer.add(report("0", 2));
    lanes.find(({ batch }) => batch.reports[0]?.taskId === "1")?.answer.resolve(undefined);
    gatherer.add(report("1", 2));
    expect((await publishedAt(2)).batch.reports[0]).to.deep.include({ taskId: "1", number: 2 });
    expect(published).to.have.length(3);
  });

  it("says when it is crowded and when there is room again", async () => {
    const { gatherer, publishedAt, rooms } = setUp({ crowdedBytes: 1000 });
    gatherer.add(report("a", 1, JSON.stringify("x".repeat(1000))));
    expect(gatherer.isCrowded).to.equal(true);
    (await publishedAt(0)).answer.resolve(undefined);
    await gatherer.flush();
    expect(gatherer.isCrowded).to.equal(false);
    expect(rooms()).to.equal(1);
  });
});
