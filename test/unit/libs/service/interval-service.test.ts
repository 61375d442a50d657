import { expect } from "chai";
import { deferred } from "#libs/async/deferred.js";
import { silentLogger } from "#libs/log/logger.js";
import { IntervalService } from "#libs/service/interval-service.js";
import { until } from "#test/support/until.js";

const AN_HOUR_MS = 3_600_000;
const logger = silentLogger();

describe("IntervalService", () => {
  it("runs rounds again and again, also after one that fails", async () => {
    let rounds = 0;
    const runOnce = () => {
      rounds += 1;
      return rounds === 1 ? Promise.reject(new Error("the first round fails")) : Promise.resolve();
    };
    const service = new IntervalService({ name: "test", intervalMs: 1, runOnce, logger });
    await service.start();
    await until("three rounds have run", () => rounds >= 3);
    await service.stop();
  });

  it("runs the next round at once when woken", async () => {
    let rounds = 0;
    const runOnce = () => {
      rounds += 1;
      return Promise.resolve();
    };
    const service = new IntervalService({ name: "test", intervalMs: AN_HOUR_MS, runOnce, logger });
    await service.start();
    service.wake();
    await until("a round has run", () => rounds === 1);
    await service.stop();
  });

  it("runs one more round when woken during a round, not one per call", async () => {
    let rounds = 0;
    const gate = deferred<void>();
    const runOnce = () => {
      rounds += 1;
      return rounds === 1 ? gate.promise : Promise.resolve();
    };
    const service = new IntervalService({ name: "test", intervalMs: AN_HOUR_MS, runOnce, logger });
    await service.start();
    service.wake();
    await until("the first round has begun", () => rounds === 1);
    service.wake();
    service.wake();
    gate.resolve();
    await until("the second round has run", () => rounds === 2);
    await service.stop();
    expect(rounds).to.equal(2);
  });

  it("aborts the signal of a round at stop and waits for its end", async () => {
    let ended = false;
    let begun = false;
    const runOnce = (signal: AbortSignal) =>
      new Promise<void>((resolve) => {
        begun = true;
        signal.addEventListener("abort", () => {
          ended = true;
          resolve();
        });
      });
    const service = new IntervalService({ name: "test", intervalMs: 0, runOnce, logger });
    await service.start();
    await until("a round has begun", () => begun);
    await service.stop();
    expect(ended).to.equal(true);
  });

  it("may be stopped before it starts", async () => {
    const service = new IntervalService({ name: "test", intervalMs: 1, runOnce: () => Promise.resolve(), logger });
    await service.stop();
  });
});
