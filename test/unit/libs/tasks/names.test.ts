import { randomUUID } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import { DEFAULT_QUEUE, isLabelKey, isQueueName, isTypeName, isUuid } from "#libs/tasks/names.js";

describe("names", () => {
  it("tells task types", () => {
    for (const name of ["a", "report.generate", "a-b_c9.d", `a${"b".repeat(99)}`]) {
      expect(isTypeName(name), name).to.equal(true);
    }
    const wrong = [
      "",
      "A",
      "9a",
      "a..b",
      ".a",
      "a.",
      "a.9",
      "a b",
      "a\n",
      "a/b",
      "ä",
      "a*",
      "a>",
      `a${"b".repeat(100)}`,
    ];
    for (const name of wrong) expect(isTypeName(name), name).to.equal(false);
  });

  it("tells queue names, which are NATS subject tokens", () => {
    for (const name of ["default", "0", "a-b_c", "9".repeat(63), DEFAULT_QUEUE]) {
      expect(isQueueName(name), name).to.equal(true);
    }
    for (const name of ["", "-a", "_a", "A", "a.b", "a b", "a\n", "*", ">", "ü", "a".repeat(64)]) {
      expect(isQueueName(name), name).to.equal(false);
    }
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => !isQueueName(text) || !/[.*>\s\0]/.test(text)));
  });

  it("tells label keys", () => {
    for (const key of ["a", "Team", "app.example/name_1-x", `a${"b".repeat(62)}`]) {
      expect(isLabelKey(key), key).to.equal(true);
    }
    for (const key of ["", "1a", "_a", "__proto__", "a b", 'a"', "a\n", `a${"b".repeat(63)}`]) {
      expect(isLabelKey(key), key).to.equal(false);
    }
  });

  it("tells UUIDs of any version and case", () => {
    const v7 = "0199aaaa-0000-7000-8000-000000000001";
    for (const id of [randomUUID(), v7, v7.toUpperCase()]) expect(isUuid(id), id).to.equal(true);
    for (const id of ["", "1", v7.slice(1), `${v7}\n`, `{${v7}}`, v7.replaceAll("-", "")]) {
      expect(isUuid(id), id).to.equal(false);
    }
  });
});
