import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { handlerSettings } from "#worker/handlers/handler-settings.js";
import { READ_BOUNDS, readFolder, type ReadBounds } from "#worker/handlers/research-run/read-folder.js";

describe("readFolder", () => {
  const { signal } = new AbortController();
  let directory: ReturnType<typeof freshDirectory>;

  beforeEach(() => {
    directory = freshDirectory();
  });

  afterEach(() => directory.remove());

  const write = (path: string, content: string | Buffer = `# ${path}\n\nSome text.`) => {
    mkdirSync(join(directory.path, path, ".."), { recursive: true });
    writeFileSync(join(directory.path, path), content);
  };
  const read = async (bounds: Partial<ReadBounds> = {}) => {
    const { documents, ...rest } = await readFolder(directory.path, handlerSettings(), signal, {
      ...READ_BOUNDS,
      ...bounds,
    });
    return { paths: documents.map(({ origin }) => ("path" in origin ? origin.path : "")), ...rest };
  };

  it("reads Markdown and text in the order of paths, and passes over the rest", async () => {
    for (const path of [
      "b.md",
      "a/z.txt",
      "a/B.MD",
      "a/b/c.rst",
      "ü.md",
      ".hidden.md",
      ".git/x.md",
      "node_modules/x.md",
    ])
      write(path);
    write("program.js");
    expect(await read()).to.deep.equal({
      paths: ["a/B.MD", "a/b/c.rst", "a/z.txt", "b.md", "ü.md"],
      skipped: 0,
      isCut: false,
    });
  });

  it("follows no links, not even within the folder", async () => {
    write("real/a.md");
    symlinkSync(join(directory.path, "real"), join(directory.path, "linked"));
    symlinkSync(join(directory.path, "real/a.md"), join(directory.path, "linked.md"));
    symlinkSync("..", join(directory.path, "real/up"));
    expect(await read()).to.deep.equal({ paths: ["real/a.md"], skipped: 0, isCut: false });
  });

  it("skips what is too large or no text", async () => {
    write("a.md");
    write("large.md", Buffer.alloc(8 * 1024 * 1024 + 1, "x"));
    write("long.txt", "x".repeat(2 * 1024 * 1024 + 1));
    write("picture.txt", Buffer.from([0x89, 0x50, 0x00]));
    expect(await read()).to.deep.equal({ paths: ["a.md"], skipped: 3, isCut: false });
  });

  it("stops at each of its bounds, and says so", async () => {
    for (const path of ["a.md", "b.md", "c.md", "deep/er/d.md"]) write(path, "# T\n\nTen bytes.");
    expect(await read({ maxFiles: 2 })).to.deep.equal({ paths: ["a.md", "b.md"], skipped: 0, isCut: true });
    expect(await read({ maxCharacters: 31 })).to.deep.equal({ paths: ["a.md", "b.md"], skipped: 0, isCut: true });
    expect(await read({ maxDepth: 1 })).to.deep.equal({ paths: ["a.md", "b.md", "c.md"], skipped: 0, isCut: true });
    expect(await read({ maxEntries: 4 })).to.deep.include({ isCut: true });
    expect(await read({ maxFiles: 4, maxCharacters: 60, maxDepth: 2, maxEntries: 7 })).to.deep.include({
      isCut: false,
    });
  });

  it("stops when its signal has fired", async () => {
    write("a.md");
    const reason = new Error("cancelled in the test");
    expect(await rejectionOf(readFolder(directory.path, handlerSettings(), AbortSignal.abort(reason)))).to.equal(
      reason,
    );
  });
});
