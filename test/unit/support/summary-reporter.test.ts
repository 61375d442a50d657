import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { freshDirectory } from "#test/support/fresh-directory.js";

const MOCHA = createRequire(import.meta.url).resolve("mocha/bin/mocha.js");
const PROJECT = fileURLToPath(new URL("../../../../", import.meta.url));
const FILES = {
  "passes.cjs": 'it("passes", () => {}); it.skip("waits for something", () => {});',
  "fails.cjs": 'it("fails", () => { throw new Error("no"); });',
  "rejects.cjs": 'it("rejects", (done) => { Promise.reject(new Error("unheard")); setTimeout(done, 1000); });',
  "exits.cjs": 'it("exits", () => process.exit(0));',
  "broken.cjs": 'throw new Error("cannot be loaded");',
} as const;

describe("SummaryReporter", function () {
  this.timeout(60_000);
  const directory = freshDirectory();
  const counts = join(directory.path, "counts.json");
  const run = (names: readonly (keyof typeof FILES)[], ...flags: string[]) => {
    const paths = names.map((name) => {
      writeFileSync(join(directory.path, name), FILES[name]);
      return join(directory.path, name);
    });
    const { status, stdout } = spawnSync(process.execPath, [MOCHA, ...flags, ...paths], {
      cwd: PROJECT,
      encoding: "utf8",
    });
    return { status, stdout, lastLine: stdout.trimEnd().split("\n").at(-1) };
  };
  after(() => {
    directory.remove();
  });

  it("says in the last line how many passed, failed and were skipped", () => {
    const { status, lastLine } = run(["passes.cjs", "fails.cjs"]);
    expect(lastLine).to.equal("1 passed, 1 failed, 1 skipped");
    expect(status).to.equal(1);
  });

  it("counts what keeps a file that runs beside others from its end, and names the file", () => {
    const names = ["passes.cjs", "rejects.cjs", "exits.cjs", "broken.cjs"] as const;
    const { status, stdout } = run(names, "--parallel", "--jobs", "2", "--reporter-option", `counts=${counts}`);
    const told: unknown = JSON.parse(readFileSync(counts, "utf8"));
    expect(told).to.include({ passed: 1, skipped: 1 });
    expect(told).to.have.property("failed").that.is.at.least(3);
    expect(status).to.be.at.least(3);
    for (const word of ["unheard", "exits.cjs", "broken.cjs", "cannot be loaded"]) expect(stdout).to.include(word);
  });

  it("writes no counts where the run did not come to its end", () => {
    run(["passes.cjs", "exits.cjs"], "--reporter-option", `counts=${counts}.2`);
    expect(existsSync(`${counts}.2`)).to.equal(false);
  });
});
