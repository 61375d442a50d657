import { expect } from "chai";
import { FrameCache } from "#task-service/watch/frame-cache.js";

describe("FrameCache", () => {
  it("keeps the latest frames up to its capacity, of all selections together (Bounded)", () => {
    const cache = new FrameCache(1000);
    const frames = [{ revision: 1, bytes: new Uint8Array(150) }];
    for (let number = 0; number < 100; number += 1) cache.set(`${number}`, [...frames, ...frames]);
    const kept = Array.from({ length: 100 }, (_, number) => number).filter(
      (number) => cache.get(`${number}`) !== undefined,
    );
    expect(kept).to.deep.equal([97, 98, 99]);
  });
});
