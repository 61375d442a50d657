import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { MAX_DOCUMENT_BYTES, readDocument } from "#worker/handlers/text-digest/read-document.js";

describe("readDocument", () => {
  let directory: ReturnType<typeof freshDirectory>;
  const file = (name: string, content: string | Buffer) => {
    const path = join(directory.path, name);
    writeFileSync(path, content);
    return path;
  };

  beforeEach(() => {
    directory = freshDirectory();
  });

  afterEach(() => directory.remove());

  it("reads a file of exactly the largest size and refuses one more byte", async () => {
    const document = await readDocument({ path: file("largest.txt", Buffer.alloc(MAX_DOCUMENT_BYTES, "a")) });
    expect(document.text).to.have.lengthOf(MAX_DOCUMENT_BYTES);
    const error = await rejectionOf(
      readDocument({ path: file("larger.txt", Buffer.alloc(MAX_DOCUMENT_BYTES + 1, "a")) }),
    );
    expect(error.code).to.equal("FILE_TOO_LARGE");
  });

  it("refuses a named pipe instead of waiting for its writer", async () => {
    const path = join(directory.path, "pipe");
    execFileSync("mkfifo", [path]);
    expect((await rejectionOf(readDocument({ path }))).code).to.equal("NOT_A_FILE");
  });

  it("drops a byte order mark", async () => {
    expect((await readDocument({ path: file("marked.txt", "\uFEFFtext") })).text).to.equal("text");
  });

  it("takes Markdown by extension, texts as Markdown, and the payload's word over both", async () => {
    expect((await readDocument({ path: file("README", "") })).format).to.equal("markdown");
    expect((await readDocument({ path: file("a.MD", "") })).format).to.equal("markdown");
    expect((await readDocument({ path: file("a.txt", "") })).format).to.equal("plain");
    expect((await readDocument({ text: "" })).format).to.equal("markdown");
    expect((await readDocument({ text: "", format: "plain" })).format).to.equal("plain");
  });
});
