import { expect } from "chai";
import { silentLogger } from "#libs/log/logger.js";
import { IsolatePool } from "#worker/isolate/isolate-pool.js";
import { ThreadIsolate } from "#worker/isolate/thread-isolate.js";
import { begin, MIB, outcomeOf } from "#test/fixtures/tasks/fixture-isolates.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { until } from "#test/support/until.js";

describe("IsolatePool", () => {
  let pool: IsolatePool;
  let created: number[];

  function createPool(options: { size: number; recycleAfter?: number; module?: string }): IsolatePool {
    created = [];
    return new IsolatePool({
      create: (memoryBytes) => {
        created.push(memoryBytes);
        const modules = [fixturePath(options.module ?? "thread-tasks.js")];
        return new ThreadIsolate({ modules, memoryBytes, nice: 0, environment: {}, logger: silentLogger() });
      },
      size: options.size,
      memoryBytes: 64 * MIB,
      recycleAfter: options.recycleAfter ?? 50,
      logger: silentLogger(),
    });
  }

  afterEach(() => pool.close());

  it("warms up as many as it keeps", async () => {
    pool = createPool({ size: 2 });
    pool.start();
    await until("both are ready", () => pool.idle === 2);
    expect(pool.alive).to.equal(2);
  });

  it("lends an isolate again after its attempt", async () => {
    pool = createPool({ size: 1 });
    const first = await pool.acquire();
    await outcomeOf(first, "echo");
    pool.release(first);
    expect(await pool.acquire()).to.equal(first);
  });

  it("replaces an isolate that was killed", async () => {
    pool = createPool({ size: 1 });
    const first = await pool.acquire();
    const { run, outcome } = begin(first, "spin");
    run.kill();
    await outcome;
    pool.release(first);
    const second = await pool.acquire();
    expect(second).to.not.equal(first);
    expect(await outcomeOf(second, "echo")).to.deep.include({ kind: "succeeded" });
  });

  it("starts the successor before the last attempt of an isolate ends", async () => {
    pool = createPool({ size: 1, recycleAfter: 2 });
    const first = await pool.acquire();
    await outcomeOf(first, "echo");
    pool.release(first);
    expect(await pool.acquire()).to.equal(first);
    await until("the successor is ready", () => pool.idle === 1);
    pool.release(first);
    expect(await pool.acquire()).to.not.equal(first);
    await until("the worn one is gone", () => pool.alive === 1);
  });

  it("starts more when more are asked for, and ends them afterwards", async () => {
    pool = createPool({ size: 1 });
    const lent = await Promise.all([pool.acquire(), pool.acquire(), pool.acquire()]);
    expect(new Set(lent)).to.have.property("size", 3);
    for (const isolate of lent) pool.release(isolate);
    await until("one is left", () => pool.alive === 1);
    expect(pool.idle).to.equal(1);
  });

  it("gives a memory cap of its own an isolate of its own", async () => {
    pool = createPool({ size: 1 });
    const large = await pool.acquire(128 * MIB);
    expect(created).to.include(128 * MIB);
    pool.release(large);
    await until("it is gone", () => pool.idle === 1 && pool.alive === 1);
    expect(created).to.deep.equal([128 * MIB, 64 * MIB]);
  });

  it("rejects when no isolate can be started", async () => {
    pool = createPool({ size: 1, module: "broken-module.js" });
    expect((await rejectionOf(pool.acquire())).message).to.include("this module cannot be imported");
  });

  it("rejects those who wait when it closes", async () => {
    pool = createPool({ size: 1 });
    const waiting = rejectionOf(pool.acquire());
    await pool.close();
    expect((await waiting).message).to.include("stopping");
    expect(pool.alive).to.equal(0);
  });
});
