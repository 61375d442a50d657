import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect } from "chai";
import fc from "fast-check";
import { LaneBuffer } from "#task-service/dispatch/lane-buffer.js";
import { LaneModel } from "#test/unit/task-service/dispatch/lane-model.js";

const MIB = 1024 * 1024;
const priority = fc.integer({ min: -2, max: 2 });
const runTimeMs = fc.nat(20);
const choice = fc.nat(1_000_000);

type Step = (model: LaneModel) => void;

function create(count: number, payloadLength: number): fc.Arbitrary<Step> {
  return fc.record({ priority, runTimeMs }).map((key) => (model: LaneModel) => {
    model.create(count, key, payloadLength);
  });
}

function plain(take: Step): fc.Arbitrary<Step> {
  return fc.constant(take);
}

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 30 }).chain((count) => create(count, 2)) },
  { weight: 1, arbitrary: fc.constantFrom(600, 1100, 2300).chain((count) => create(count, 2)) },
  { weight: 1, arbitrary: create(40, MIB / 4) },
  {
    weight: 3,
    arbitrary: choice.map((index) => (model: LaneModel) => {
      model.leave(index);
    }),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom(1, 5, 200).map((count) => (model: LaneModel) => {
      model.take(count);
    }),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(choice, runTimeMs).map(([index, at]) => (model: LaneModel) => {
      model.comeBack(index, at);
    }),
  },
  {
    weight: 5,
    arbitrary: plain((model) => {
      model.beginLoad();
    }),
  },
  {
    weight: 4,
    arbitrary: plain((model) => {
      model.endLoad();
    }),
  },
  {
    weight: 1,
    arbitrary: plain((model) => {
      model.abandonLoad();
    }),
  },
);

describe("LaneBuffer", () => {
  it("gives the first of all due tasks, in any order of creates, takes, changes and loads, and loses none", function () {
    this.timeout(60_000);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
        const model = new LaneModel();
        for (const take of steps) take(model);
        model.drain();
      }),
      { numRuns: 30 },
    );
  });

  it("does not skip tasks when it overflows while it is being loaded", () => {
    const model = new LaneModel();
    model.create(1500, { priority: 0, runTimeMs: 0 }, 2);
    model.beginLoad();
    model.endLoad();
    model.take(900);
    model.beginLoad();
    model.create(2300, { priority: 1, runTimeMs: 0 }, 2);
    model.take(1900);
    model.endLoad();
    model.drain();
  });

  it("keeps its order when what was loaded exceeds its memory", () => {
    const model = new LaneModel();
    model.create(60, { priority: 0, runTimeMs: 0 }, MIB / 4);
    model.create(60, { priority: -1, runTimeMs: 0 }, 2);
    model.beginLoad();
    model.endLoad();
    model.beginLoad();
    model.take(60);
    model.drain();
  });

  it("holds nothing of tasks that were removed behind one that nobody takes", () => {
    setFlagsFromString("--expose-gc");
    const collectGarbage = () => void runInNewContext("gc()");
    const lane = new LaneBuffer({ queue: "default", type: "test.lane" });
    lane.beginLoad();
    lane.endLoad([], true, () => false);
    const due = {
      queue: "default",
      attempt: 0,
      workerLosses: 0,
      sequence: 1,
      maxAttempts: 0,
      softTimeoutMs: 0,
      hardTimeoutMs: 0,
      memoryBytes: 0,
    };
    const offer = (key: number) => {
      const place = { id: `task-${key}`, type: "test.lane", key, priority: 0, runTimeMs: 0 };
      lane.offer({ ...place, due: { ...place, ...due, payloadJson: Buffer.alloc(2000, "x").toString() } });
    };
    offer(1);
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    for (let key = 2; key < 50_000; key += 1) {
      offer(key);
      lane.remove(`task-${key}`);
    }
    collectGarbage();
    expect((process.memoryUsage().heapUsed - before) / MIB).to.be.below(20);
    expect(lane.take()?.id).to.equal("task-1");
    expect(lane.take()).to.equal(undefined);
  });
});
