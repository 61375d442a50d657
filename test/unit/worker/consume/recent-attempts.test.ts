import { expect } from "chai";
import { EarlyCancels } from "#worker/consume/early-cancels.js";
import { RecentAttempts } from "#worker/consume/recent-attempts.js";

function delivery(acks: string[], name: string) {
  return {
    data: new Uint8Array(),
    deliveries: 1,
    ageMs: 0,
    ack: () => void acks.push(name),
    giveBack: () => void acks.push(`${name} back`),
  };
}

describe("RecentAttempts", () => {
  it("acknowledges every delivery of an attempt once its start is stored", () => {
    const acks: string[] = [];
    const recent = new RecentAttempts();
    recent.add("a:1", 0, delivery(acks, "first"));
    recent.join("a:1", delivery(acks, "second"));
    expect(acks).to.deep.equal([]);
    recent.markStored("a:1");
    expect(acks).to.deep.equal(["first", "second"]);
    recent.join("a:1", delivery(acks, "third"));
    expect(acks).to.deep.equal(["first", "second", "third"]);
  });

  it("tells an attempt that is dispatched again after its start was stored, once for each round", () => {
    const recent = new RecentAttempts();
    recent.add("a:1", 0, delivery([], "first"));
    expect(recent.isForgotten("a:1", 1), "while its start is not stored").to.equal(false);
    recent.markStored("a:1");
    expect([0, 1].map((round) => recent.isForgotten("a:1", round))).to.deep.equal([false, true]);
    recent.add("a:1", 1, delivery([], "second"));
    recent.markStored("a:1");
    expect([1, 2].map((round) => recent.isForgotten("a:1", round))).to.deep.equal([false, true]);
  });

  it("forgets the oldest beyond its capacity", () => {
    const recent = new RecentAttempts(2);
    for (const key of ["a:1", "b:1", "c:1"]) recent.add(key, 0, delivery([], key));
    expect(["a:1", "b:1", "c:1"].map((key) => recent.has(key))).to.deep.equal([false, true, true]);
  });
});

describe("EarlyCancels", () => {
  it("gives a reason once", () => {
    const cancels = new EarlyCancels();
    cancels.remember("a:1", "enough");
    expect(cancels.take("b:1")).to.equal(undefined);
    expect(cancels.take("a:1")).to.equal("enough");
    expect(cancels.take("a:1")).to.equal(undefined);
  });

  it("forgets the oldest beyond its capacity", () => {
    const cancels = new EarlyCancels(1);
    cancels.remember("a:1", "");
    cancels.remember("b:1", "");
    expect([cancels.take("a:1"), cancels.take("b:1")]).to.deep.equal([undefined, ""]);
  });
});
