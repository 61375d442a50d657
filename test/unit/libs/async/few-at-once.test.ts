import { expect } from "chai";
import { deferred } from "#libs/async/deferred.js";
import { FewAtOnce } from "#libs/async/few-at-once.js";

describe("FewAtOnce", () => {
  it("runs as many as it may, the others in turn, also after failures", async () => {
    const few = new FewAtOnce(2);
    const calls = Array.from({ length: 5 }, () => deferred<void>());
    const begun: number[] = [];
    const results = calls.map((call, number) =>
      few.run(() => {
        begun.push(number);
        return call.promise;
      }),
    );
    expect(begun).to.deep.equal([0, 1]);
    calls[1]?.reject(new Error("no"));
    await results[1]?.catch(() => undefined);
    calls[0]?.resolve();
    await results[0];
    expect(begun).to.deep.equal([0, 1, 2, 3]);
    for (const call of calls) call.resolve();
    await Promise.allSettled(results);
    expect(begun).to.deep.equal([0, 1, 2, 3, 4]);
    expect(await few.run(() => Promise.resolve("free again"))).to.equal("free again");
  });
});
