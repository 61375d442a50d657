import { expect } from "chai";
import fc from "fast-check";
import { filterPredicate, type FilterableTask } from "#libs/tasks/filter/filter-predicate.js";
import { possibleIds } from "#libs/tasks/filter/possible-ids.js";
import { filterOf } from "#test/support/filter-of.js";

const [A, B, C] = [1, 2, 3].map((number) => `0199aaaa-0000-7000-8000-00000000000${number}`);

function idsIn(text: string): ReadonlySet<string> | undefined {
  const expression = filterOf(text);
  return expression === null ? undefined : possibleIds(expression);
}

describe("possibleIds", () => {
  const idsOf = (text: string) => {
    const ids = idsIn(text);
    return ids && [...ids].sort();
  };

  it("finds the ids that a filter is limited to", () => {
    expect(idsOf(`id = "${A}"`)).to.deep.equal([A]);
    expect(idsOf(`id = "${A}" OR id = "${B}"`)).to.deep.equal([A, B]);
    expect(idsOf(`(id = "${A}" OR id = "${B}") AND state = RUNNING`)).to.deep.equal([A, B]);
    expect(idsOf(`(id = "${A}" OR id = "${B}") AND (id = "${B}" OR id = "${C}")`)).to.deep.equal([B]);
    expect(idsOf(`id = "${A}" AND id = "${B}"`)).to.deep.equal([]);
  });

  it("finds none where other tasks can match", () => {
    for (const text of [
      "state = RUNNING",
      `id = "${A}" OR state = RUNNING`,
      `id != "${A}"`,
      `id > "${A}"`,
      'id = "0199aaaa*"',
    ])
      expect(idsOf(text), text).to.equal(undefined);
  });

  it("never leaves out a task that matches", () => {
    const ids = [A, B, C].map((id) => id ?? "");
    const restriction = fc.constantFrom(
      ...ids.flatMap((id) => [`id = "${id}"`, `id != "${id}"`, `id > "${id}"`]),
      "priority = 1",
    );
    const { text } = fc.letrec<{ text: string }>((tie) => ({
      text: fc.oneof(
        { maxDepth: 4 },
        restriction,
        fc.tuple(tie("text"), fc.constantFrom("AND", "OR"), tie("text")).map(([a, how, b]) => `((${a}) ${how} (${b}))`),
        tie("text").map((a) => `NOT (${a})`),
      ),
    }));
    fc.assert(
      fc.property(text, fc.constantFrom(...ids), fc.constantFrom(0, 1), (filter, id, priority) => {
        const isMatch = filterPredicate(filterOf(filter))({ id, priority } as FilterableTask);
        expect(!isMatch || (idsIn(filter)?.has(id) ?? true), filter).to.equal(true);
      }),
    );
  });
});
