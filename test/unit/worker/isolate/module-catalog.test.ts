import { expect } from "chai";
import { silentLogger } from "#libs/log/logger.js";
import { readCatalog, usesIsolation } from "#worker/isolate/module-catalog.js";
import { ThreadIsolate } from "#worker/isolate/thread-isolate.js";
import { MIB } from "#test/fixtures/tasks/fixture-isolates.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { rejectionOf } from "#test/support/rejection-of.js";

function read(...files: string[]) {
  const modules = files.map(fixturePath);
  return readCatalog(
    modules,
    () => new ThreadIsolate({ modules, memoryBytes: 64 * MIB, nice: 0, environment: {}, logger: silentLogger() }),
  );
}

describe("readCatalog", () => {
  it("finds every type of every module, exported alone, in lists or by default", async () => {
    const catalog = await read("process-tasks.js", "inline-tasks.js");
    expect([...catalog.tasks.keys()]).to.include.members(["process.echo", "process.typed", "inline.echo"]);
    expect(catalog.tasks.get("process.echo")).to.deep.include({
      isolation: "process",
      module: fixturePath("process-tasks.js"),
    });
  });

  it("holds the code of inline types only", async () => {
    const catalog = await read("process-tasks.js", "inline-tasks.js");
    expect([...catalog.inline.keys()].every((type) => type.startsWith("inline."))).to.equal(true);
    expect(usesIsolation(catalog, "thread")).to.equal(false);
    expect(usesIsolation(catalog, "inline")).to.equal(true);
  });

  for (const [file, words] of [
    ["broken-module.js", "this module cannot be imported"],
    ["empty-module.js", "exports nothing made by defineTask"],
    ["no-such-module.js", "cannot be loaded"],
  ] as const) {
    it(`refuses ${file} and names it`, async () => {
      const error = await rejectionOf(read("process-tasks.js", file));
      expect(error.message).to.include(file).and.include(words);
    });
  }

  it("refuses a type that is defined twice", async () => {
    const error = await rejectionOf(read("process-tasks.js", "process-tasks.js"));
    expect(error.message).to.match(/the type process\.\S+ is defined in .* and again in/);
  });
});
