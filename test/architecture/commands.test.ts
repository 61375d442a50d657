import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { z } from "zod";
import { PROJECT } from "#test/architecture/source-files.js";

const LOCK = z.object({
  packages: z.record(z.string(), z.object({ optionalDependencies: z.record(z.string(), z.string()).default({}) })),
});

const read = (name: string) => readFileSync(join(PROJECT, name), "utf8");

/** The first command of the first code block in the README's section about tests. */
function readmeTestCommand(): string | undefined {
  return /^#+ .*\btest.*\n[\s\S]*?```[a-z]*\n([^\n]+)/im
    .exec(read("README.md"))?.[1]
    ?.replace(/\s+#.*$/, "")
    .trim();
}

describe("The project's commands", () => {
  it("runs the README's test command in .ci/run", () => {
    const command = readmeTestCommand();
    expect(command).to.be.a("string");
    expect(read(".ci/run").split("\n")).to.include(command);
  });

  it("runs style, types and generated code in .ci/run", () => {
    expect(read(".ci/run").split("\n")).to.include.members(["make build", "make lint", "make verify"]);
  });

  it("has every target the README promises, each with a word of help", () => {
    const makefile = read("Makefile");
    for (const target of ["demo", "test", "dev", "bench", "proto", "lint", "verify", "clean"]) {
      expect(makefile, target).to.match(new RegExp(`^${target}:.*## \\S`, "m"));
    }
  });

  it("keeps its scripts executable", () => {
    for (const script of [".ci/run", "scripts/install-nats-server.sh", "dist/cli/main.js"]) {
      expect(statSync(join(PROJECT, script)).mode & 0o111, script).not.to.equal(0);
    }
  });

  it("has every platform's part of a package in the lock file, without which `npm ci` refuses to work", () => {
    // npm leaves out what its registry does not offer; such entries are added by hand: version, os, cpu, libc, optional.
    const locked = LOCK.parse(JSON.parse(read("package-lock.json"))).packages;
    const missing = Object.entries(locked).flatMap(([path, { optionalDependencies }]) =>
      Object.keys(optionalDependencies)
        .filter((name) => !(`node_modules/${name}` in locked) && !(`${path}/node_modules/${name}` in locked))
        .map((name) => `${path} needs ${name}`),
    );
    expect(missing).to.deep.equal([]);
  });

  it("names no package registry anywhere", () => {
    for (const file of [
      "package.json",
      "package-lock.json",
      "Makefile",
      "Dockerfile",
      "docker-compose.yml",
      ".ci/run",
    ]) {
      expect(read(file), file).not.to.match(/registry\.[a-z]+\.|"resolved"/);
    }
  });
});
