import { expect } from "chai";
import { NO_KEYS } from "#libs/sealing/key-ring.js";
import { fromHanded, handedKeys, toHanded } from "#worker/isolate/handed-keys.js";
import { runKeys, withRunKeys } from "#worker/isolate/run-keys.js";

const KEYS = { current: new Uint8Array(32).fill(1), old: [new Uint8Array(32).fill(2)] };

describe("runKeys", () => {
  it("are there within a run and what it waits for, and nowhere else", async () => {
    const seen = await withRunKeys(KEYS, async () => {
      await Promise.resolve();
      return runKeys();
    });
    expect(seen).to.equal(KEYS);
    expect(runKeys()).to.equal(NO_KEYS);
  });

  it("go to a process as text and come back", () => {
    const sent: unknown = JSON.parse(JSON.stringify(toHanded(KEYS)));
    expect(fromHanded(handedKeys.parse(sent))).to.deep.equal(KEYS);
    expect(fromHanded(toHanded(NO_KEYS))).to.deep.equal({ current: null, old: [] });
    expect(handedKeys.safeParse({ current: "ab", old: [] }).success).to.equal(false);
  });
});
