import { expect } from "chai";
import fc from "fast-check";
import { retryDelayMs } from "#libs/tasks/retry-policy.js";
import { MAX_ATTEMPTS, MAX_RETRY_DELAY_MS, MAX_RETRY_MULTIPLIER } from "#libs/tasks/limits.js";

const delay = fc.integer({ min: 0, max: MAX_RETRY_DELAY_MS });
const policy = fc.record({
  initialDelayMs: delay,
  maximumDelayMs: delay,
  multiplier: fc.double({ min: 1, max: MAX_RETRY_MULTIPLIER, noNaN: true }),
});
const attempt = fc.integer({ min: 1, max: MAX_ATTEMPTS });
const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe("retryDelayMs", () => {
  it("is a whole number between 0 and the longest delay, whatever the policy and attempt", () => {
    fc.assert(
      fc.property(policy, attempt, chance, (settings, number, random) => {
        const wait = retryDelayMs(settings, number, random);
        expect(Number.isSafeInteger(wait)).to.equal(true);
        const first = Math.min(settings.maximumDelayMs, settings.initialDelayMs);
        expect(wait).to.be.within(0, number === 1 ? first : settings.maximumDelayMs);
      }),
    );
  });

  it("grows with the attempt up to the longest delay", () => {
    const settings = { initialDelayMs: 100, maximumDelayMs: 1000, multiplier: 2 };
    expect([1, 2, 3, 4, 5, 6].map((number) => retryDelayMs(settings, number, 0.999_999))).to.deep.equal([
      100, 200, 400, 800, 1000, 1000,
    ]);
  });

  it("uses the whole span down to 0", () => {
    const settings = { initialDelayMs: 100, maximumDelayMs: 1000, multiplier: 2 };
    expect(retryDelayMs(settings, 3, 0)).to.equal(0);
    expect(retryDelayMs(settings, 3, 0.5)).to.equal(200);
  });
});
