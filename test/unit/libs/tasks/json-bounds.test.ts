import { expect } from "chai";
import fc from "fast-check";
import { jsonDepth, jsonProblem } from "#libs/tasks/json-bounds.js";
import { MAX_JSON_BYTES, MAX_JSON_DEPTH } from "#libs/tasks/limits.js";

/** `levels` levels of one-element containers around null. */
function nested(levels: number, wrap: (inner: unknown) => unknown = (inner) => ({ a: inner })): unknown {
  let value: unknown = null;
  for (let level = 0; level < levels; level += 1) value = wrap(value);
  return value;
}

function problemOf(value: unknown): string | undefined {
  return jsonProblem(value, JSON.stringify(value));
}

describe("jsonDepth", () => {
  it("counts levels of objects and arrays", () => {
    expect([null, 1, "[[[", true].map((value) => jsonDepth(value))).to.deep.equal([0, 0, 0, 0]);
    expect(jsonDepth({})).to.equal(1);
    expect(jsonDepth([[], [[]]])).to.equal(3);
    expect(jsonDepth({ a: [{ b: 1 }], c: 2 })).to.equal(3);
  });

  it("counts what a naive count does, up to its limit", () => {
    const naive = (value: unknown): number =>
      typeof value === "object" && value !== null ? 1 + Math.max(0, ...Object.values(value).map(naive)) : 0;
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), fc.integer({ min: 1, max: 10 }), (value, limit) => {
        expect(jsonDepth(value, limit)).to.equal(Math.min(naive(value), limit + 1));
      }),
    );
  });

  it("stops counting beyond its limit, however deep a value is", () => {
    expect(jsonDepth(nested(5000))).to.equal(MAX_JSON_DEPTH + 1);
  });
});

describe("jsonProblem", () => {
  it("accepts exactly the deepest nesting, of objects and of arrays", () => {
    for (const wrap of [undefined, (inner: unknown) => [inner]]) {
      expect(problemOf(nested(MAX_JSON_DEPTH, wrap))).to.equal(undefined);
      expect(problemOf(nested(MAX_JSON_DEPTH + 1, wrap))).to.contain("deeper than 30");
    }
  });

  it("accepts exactly the largest text, in bytes", () => {
    expect(problemOf("x".repeat(MAX_JSON_BYTES - 2))).to.equal(undefined);
    expect(problemOf("x".repeat(MAX_JSON_BYTES - 1))).to.contain(`${MAX_JSON_BYTES + 1} bytes`);
    expect(problemOf("한".repeat(MAX_JSON_BYTES / 3))).to.contain("bytes");
  });
});
