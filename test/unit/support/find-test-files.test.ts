import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { findTestFiles } from "#test/support/find-test-files.js";
import { freshDirectory } from "#test/support/fresh-directory.js";

describe("findTestFiles", () => {
  const directory = freshDirectory();
  const root = join(directory.path, "dist");
  const find = (...patterns: string[]) => findTestFiles(root, patterns, directory.path);

  before(() => {
    const files = ["unit/a.test.js", "unit/deep/er/b.test.js", "conformance/c.test.js", "integration/d.test.js"];
    for (const name of [...files, "robustness/e.test.js", "unit/helper.js", "unit/a.test.js.map"]) {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      writeFileSync(join(root, name), "");
    }
  });
  after(() => {
    directory.remove();
  });

  it("finds the tests of a folder, each once, and those that take longest first", () => {
    expect(find("dist/", "dist/unit/a.test.js")).to.deep.equal([
      "dist/robustness/e.test.js",
      "dist/integration/d.test.js",
      "dist/conformance/c.test.js",
      "dist/unit/a.test.js",
      "dist/unit/deep/er/b.test.js",
    ]);
  });

  for (const [pattern, files] of [
    ["./dist/unit/a.test.js", ["dist/unit/a.test.js"]],
    ["dist/unit/*.test.js", ["dist/unit/a.test.js"]],
    ["dist/unit/**/*.test.js", ["dist/unit/a.test.js", "dist/unit/deep/er/b.test.js"]],
    ["dist/{integration,conformance}/?.test.js", ["dist/integration/d.test.js", "dist/conformance/c.test.js"]],
  ] as const) {
    it(`understands ${pattern}`, () => {
      expect(find(pattern)).to.deep.equal(files);
    });
  }

  it("names a pattern that no test file has", () => {
    expect(() => find("dist/unit/*.test.js", "dist/unit/z.test.js")).to.throw(
      "no test file is called dist/unit/z.test.js",
    );
  });
});
