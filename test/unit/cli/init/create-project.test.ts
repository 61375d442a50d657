import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { UsageError } from "#cli/command-errors.js";
import { createProject } from "#cli/init/create-project.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { rejectionOf } from "#test/support/rejection-of.js";

describe("createProject", () => {
  const directory = freshDirectory();
  const nameIn = (path: string): unknown =>
    Reflect.get(Object(JSON.parse(readFileSync(join(path, "package.json"), "utf8"))), "name");

  after(() => directory.remove());

  it("names the package after the directory, or as it is told", async () => {
    for (const [folder, given, name] of [
      ["Größe & Co.", undefined, "gr-e-co."],
      ["한글", undefined, "my-tasks"],
      ["plain", "@scope/other", "@scope/other"],
    ] as const) {
      const path = join(directory.path, "deep", folder);
      mkdirSync(path, { recursive: true });
      await createProject(path, given);
      expect(nameIn(path)).to.equal(name);
    }
  });

  it("refuses a name that npm would not take, and writes nothing", async () => {
    for (const name of ["", "Upper", "a b", "../up", "@scope", ".dot", "x".repeat(215)]) {
      const path = join(directory.path, "refused");
      expect(await rejectionOf(createProject(path, name)), name).to.be.instanceOf(UsageError);
      expect(existsSync(path), name).to.equal(false);
    }
  });

  it("refuses when a single file is there, and writes no other", async () => {
    const path = join(directory.path, "half");
    mkdirSync(join(path, "tasks"), { recursive: true });
    writeFileSync(join(path, "tasks/greet.js"), "mine");
    const error = await rejectionOf(createProject(path));
    expect(error).to.be.instanceOf(UsageError);
    expect(error.message).to.include("has tasks/greet.js already; nothing was written");
    expect(existsSync(join(path, "package.json"))).to.equal(false);
    expect(readFileSync(join(path, "tasks/greet.js"), "utf8")).to.equal("mine");
  });
});
