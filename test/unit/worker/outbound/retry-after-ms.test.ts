import { expect } from "chai";
import { retryAfterMs } from "#worker/outbound/retry-after-ms.js";

describe("retryAfterMs", () => {
  const nowMs = Date.parse("Wed, 21 Oct 2026 07:28:00 GMT");

  it("reads seconds and dates, and keeps to a day", () => {
    expect(retryAfterMs("0", nowMs)).to.equal(0);
    expect(retryAfterMs(" 120 ", nowMs)).to.equal(120_000);
    expect(retryAfterMs("Wed, 21 Oct 2026 07:28:05 GMT", nowMs)).to.equal(5000);
    expect(retryAfterMs("Wed, 21 Oct 2026 07:27:00 GMT", nowMs)).to.equal(0);
    expect(retryAfterMs("99999999999999999999", nowMs)).to.equal(86_400_000);
  });

  it("leaves alone what it cannot read", () => {
    expect(retryAfterMs(undefined, nowMs)).to.equal(undefined);
    for (const text of ["", "soon", "-5", "1.5s"]) expect(retryAfterMs(text, nowMs), text).to.equal(undefined);
  });
});
