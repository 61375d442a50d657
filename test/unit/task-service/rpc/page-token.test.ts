import { expect } from "chai";
import fc from "fast-check";
import { TaskFilter } from "#libs/proto/gen/taskwire/v1/task_service.js";
import { filterFingerprint, makePageToken, readPageToken } from "#task-service/rpc/page-token.js";

const cursor = { id: "0199aaaa-0000-7000-8000-000000000001", updateTimeMs: 1_763_000_000_000, key: 12 };
const fingerprint = filterFingerprint(TaskFilter.fromPartial({ types: ["a"] }), "id");

describe("page tokens", () => {
  it("give their cursor back for the same filter and order only", () => {
    const token = makePageToken(fingerprint, cursor);
    expect(token).to.match(/^[A-Za-z0-9_-]+$/);
    expect(readPageToken(token, fingerprint)).to.deep.equal(cursor);
    const others: [Parameters<typeof TaskFilter.fromPartial>[0], string][] = [
      [{ types: ["b"] }, "id"],
      [{ types: ["a"] }, "id desc"],
      [{ types: ["a"], queues: ["default"] }, "id"],
      [{ types: ["a"], createTimeFrom: new Date(0) }, "id"],
      [{}, "id"],
    ];
    for (const [filter, order] of others) {
      expect(readPageToken(token, filterFingerprint(TaskFilter.fromPartial(filter), order))).to.equal(undefined);
    }
    expect(readPageToken(token, filterFingerprint(undefined, "id"))).to.equal(undefined);
  });

  it("take an empty filter for none, and labels in any order for the same", () => {
    expect(filterFingerprint(TaskFilter.create(), "id")).to.equal(filterFingerprint(undefined, "id"));
    const one = TaskFilter.fromPartial({ labels: { a: "1", b: "2" } });
    const other = TaskFilter.fromPartial({ labels: { b: "2", a: "1" } });
    expect(filterFingerprint(one, "")).to.equal(filterFingerprint(other, ""));
  });

  it("are refused when made up, damaged or cut", () => {
    const token = makePageToken(fingerprint, cursor);
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => readPageToken(text, fingerprint) === undefined));
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.constantFrom("A", "z", "!", ""), (at, letter) => {
        const damaged = token.slice(0, at) + letter + token.slice(at + 1);
        return damaged === token || readPageToken(damaged, fingerprint) === undefined;
      }),
    );
    for (const text of [`${token}!`, `${token}=`, `${token} `, `${token}A`, token.slice(1)]) {
      expect(readPageToken(text, fingerprint), text).to.equal(undefined);
    }
  });
});
