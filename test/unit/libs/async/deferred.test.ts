import { expect } from "chai";
import { deferred } from "#libs/async/deferred.js";
import { rejectionOf } from "#test/support/rejection-of.js";

describe("deferred", () => {
  it("resolves from outside", async () => {
    const { promise, resolve } = deferred<number>();
    resolve(7);
    expect(await promise).to.equal(7);
  });

  it("rejects from outside", async () => {
    const { promise, reject } = deferred<number>();
    const error = new Error("no");
    reject(error);
    expect(await rejectionOf(promise)).to.equal(error);
  });
});
