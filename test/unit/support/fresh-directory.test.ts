import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { expect } from "chai";
import { freshDirectory } from "#test/support/fresh-directory.js";

describe("freshDirectory", () => {
  it("makes a directory that is there until it is removed", () => {
    const directory = freshDirectory();
    expect(existsSync(directory.path)).to.equal(true);
    directory.remove();
    expect(existsSync(directory.path)).to.equal(false);
  });

  it("removes at the end of the process what nobody removed", () => {
    const module = new URL("../../support/fresh-directory.js", import.meta.url).href;
    const code = `
      import { freshDirectory } from ${JSON.stringify(module)};
      freshDirectory().remove();
      console.log(freshDirectory().path);
      process.exit(1);`;
    const run = () => execFileSync(process.execPath, ["--input-type=module", "-e", code], { encoding: "utf8" });
    expect(run)
      .to.throw()
      .with.property("stdout")
      .that.satisfies((path: string) => {
        return path.includes("t-") && !existsSync(path.trim());
      });
  });
});
