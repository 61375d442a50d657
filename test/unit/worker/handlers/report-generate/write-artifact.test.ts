import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { PermanentError } from "#libs/define-task/define-task.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { writeArtifact, writeArtifacts } from "#worker/handlers/report-generate/write-artifact.js";

describe("writeArtifacts", () => {
  let directory: ReturnType<typeof freshDirectory>;
  const writer = { taskId: "task", attempt: 1, signal: new AbortController().signal };

  beforeEach(() => {
    directory = freshDirectory();
  });

  afterEach(() => directory.remove());

  it("replaces a file whole", async () => {
    const path = join(directory.path, "a.md");
    writeFileSync(path, "before");
    expect(await writeArtifact(path, "after ✓", writer)).to.deep.equal({
      path,
      bytes: 9,
      sha256: "aaef07a708fc3db8dd23fbaae60ca1871254d41a7193f1672dd2ba1ba5d72274",
    });
    expect(readFileSync(path, "utf8")).to.equal("after ✓");
    expect(readdirSync(directory.path)).to.deep.equal(["a.md"]);
  });

  it("keeps the old file and leaves nothing behind when its signal has fired", async () => {
    const path = join(directory.path, "a.md");
    writeFileSync(path, "before");
    const reason = new Error("cancelled in the test");
    expect(await rejectionOf(writeArtifact(path, "after", { ...writer, signal: AbortSignal.abort(reason) }))).to.equal(
      reason,
    );
    expect(readFileSync(path, "utf8")).to.equal("before");
    expect(readdirSync(directory.path)).to.deep.equal(["a.md"]);
  });

  it("fails for good where a directory or a file is in the way", async () => {
    mkdirSync(join(directory.path, "folder"));
    writeFileSync(join(directory.path, "file"), "");
    const onFolder = await rejectionOf(writeArtifact(join(directory.path, "folder"), "x", writer));
    expect(onFolder).to.be.instanceOf(PermanentError).with.property("code", "OUTPUT_IS_DIRECTORY");
    const underFile = await rejectionOf(writeArtifact(join(directory.path, "file", "a.md"), "x", writer));
    expect(underFile).to.be.instanceOf(PermanentError).with.property("code", "FILE_SYSTEM_ERROR");
    expect(readdirSync(directory.path)).to.have.members(["folder", "file"]);
  });

  it("writes none of several files when one cannot be written, and keeps what was there", async () => {
    const [first, second] = [join(directory.path, "a.md"), join(directory.path, "b.md")];
    writeFileSync(first, "before");
    mkdirSync(second);
    const error = await rejectionOf(
      writeArtifacts(writer, async (write) => {
        await write(first, "after");
        await write(second, "after");
      }),
    );
    expect(error).to.be.instanceOf(PermanentError).with.property("code", "OUTPUT_IS_DIRECTORY");
    expect(readFileSync(first, "utf8")).to.equal("before");
    expect(readdirSync(directory.path)).to.deep.equal(["a.md", "b.md"]);
  });

  it("takes a new file away again when the next one cannot get its name", async () => {
    const [first, second] = [join(directory.path, "a.md"), join(directory.path, "b.md")];
    const error = await rejectionOf(
      writeArtifacts(writer, async (write) => {
        await write(first, "after");
        await write(second, "after");
        mkdirSync(second);
        return undefined;
      }),
    );
    expect(error).to.be.instanceOf(PermanentError).with.property("code", "FILE_SYSTEM_ERROR");
    expect(readdirSync(directory.path)).to.deep.equal(["b.md"]);
  });
});
