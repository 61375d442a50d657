import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { collectDocuments } from "#cli/demo/collect-documents.js";
import { freshDirectory } from "#test/support/fresh-directory.js";

describe("collectDocuments", () => {
  let directory: ReturnType<typeof freshDirectory>;
  const file = (path: string, content = "text") => {
    mkdirSync(dirname(join(directory.path, path)), { recursive: true });
    writeFileSync(join(directory.path, path), content);
  };
  const titles = async (limit = 100) => (await collectDocuments(directory.path, limit)).map(({ title }) => title);

  beforeEach(() => {
    directory = freshDirectory();
  });

  afterEach(() => directory.remove());

  it("takes the project's Markdown first, then one README of each package, nested and scoped ones too", async () => {
    file("README.md");
    file("docs/guide.md");
    file("docs/notes.txt");
    file("node_modules/b/readme.markdown");
    file("node_modules/b/docs/other.md");
    file("node_modules/@s/a/README.md");
    file("node_modules/b/node_modules/c/README");
    file("node_modules/b/node_modules/@s/a/README.md");
    expect(await titles()).to.deep.equal(["README.md", "docs/guide.md", "@s/a", "b", "c"]);
  });

  it("leaves out empty and too large files, hidden folders and build output", async () => {
    file("empty.md", "");
    file("large.md", "a".repeat(2 * 1024 * 1024 + 1));
    file(".taskwire/demo/report.md");
    file("dist/docs/guide.md");
    file("one.md");
    expect(await titles()).to.deep.equal(["one.md"]);
  });

  it("stops at the limit and is content without any package", async () => {
    file("a.md");
    file("b.md");
    expect(await titles(1)).to.deep.equal(["a.md"]);
  });
});
