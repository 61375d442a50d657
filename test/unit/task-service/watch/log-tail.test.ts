import { expect } from "chai";
import type { Commit } from "#task-service/store/commit.js";
import { LogTail } from "#task-service/watch/log-tail.js";

function commit(...revisions: number[]): Commit {
  const events = revisions.map((revision) => ({
    revision,
    taskId: "t",
    sequence: revision,
    isTerminal: false,
    body: new Uint8Array(100),
    before: { timeMs: 0, state: 1, attempt: 0 },
  }));
  return { revision: revisions.at(-1) ?? 0, events, changes: [], counts: [] };
}

describe("LogTail", () => {
  /** The first revisions of the commits after a revision. */
  function firsts(tail: LogTail, revision: number): number[] | undefined {
    const found: number[] = [];
    for (let next = tail.next(revision); next !== null; next = tail.next(next.lastRevision)) {
      if (next === undefined) return undefined;
      found.push(next.firstRevision);
    }
    return found;
  }

  it("gives the commits after a revision, and none where it ends", () => {
    const tail = new LogTail();
    tail.restart(10);
    for (const each of [commit(11, 12), commit(13), commit(14, 15, 16)]) tail.add(each);
    expect(firsts(tail, 10)).to.deep.equal([11, 13, 14]);
    expect(firsts(tail, 12)).to.deep.equal([13, 14]);
    expect(firsts(tail, 16)).to.deep.equal([]);
    expect(firsts(tail, 99)).to.deep.equal([]);
    expect(tail.lastRevision).to.equal(16);
  });

  it("cannot tell what is older than it, or within a commit", () => {
    const tail = new LogTail();
    tail.restart(10);
    tail.add(commit(11, 12));
    for (const revision of [0, 9, 11]) expect(firsts(tail, revision)).to.equal(undefined);
    tail.restart(12);
    expect(firsts(tail, 10)).to.equal(undefined);
    expect(firsts(tail, 12)).to.deep.equal([]);
  });

  it("forgets the oldest beyond its capacity, and takes no notice of commits without events (Bounded)", () => {
    const tail = new LogTail(1200);
    tail.restart(0);
    for (let revision = 1; revision <= 100; revision += 1) tail.add(commit(revision));
    expect(tail.add(commit())).to.equal(undefined);
    expect(firsts(tail, 97)).to.deep.equal([98, 99, 100]);
    expect(firsts(tail, 90)).to.equal(undefined);
  });
});
