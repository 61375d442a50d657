import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { flushLog, silentLogger } from "#libs/log/logger.js";
import { freshDirectory } from "#test/support/fresh-directory.js";

const LINES = 2000;
const MODULE = new URL("../../../../libs/log/logger.js", import.meta.url).href;

/** Runs a process that logs many lines and exits; returns what it wrote to stdout. */
function logAndExit(file?: string): string {
  const code = `
    import { createLogger, flushLog } from ${JSON.stringify(MODULE)};
    const logger = createLogger({ name: "n", level: "info", file: ${JSON.stringify(file)} });
    const log = logger.child({ part: "p" });
    for (let number = 0; number < ${LINES}; number += 1) {
      (number % 2 ? log : logger).info({ number }, "line");
      if (number % 100 === 0) await new Promise(setImmediate);
    }
    await flushLog(logger);
    process.exit(0);`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", code], {
    encoding: "utf8",
    maxBuffer: 10_000_000,
  });
  expect(stderr).to.equal("");
  return stdout;
}

function numbersOf(text: string): number[] {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => (JSON.parse(line) as { readonly number: number }).number);
}

describe("flushLog", () => {
  const all = Array.from({ length: LINES }, (_line, index) => index);

  it("has every line written in its order before the process exits (stdout)", () => {
    expect(numbersOf(logAndExit())).to.deep.equal(all);
  });

  it("has every line written in its order before the process exits (file)", () => {
    const directory = freshDirectory();
    try {
      const file = join(directory.path, "service.log");
      logAndExit(file);
      expect(numbersOf(readFileSync(file, "utf8"))).to.deep.equal(all);
    } finally {
      directory.remove();
    }
  });

  it("does not wait for a logger that writes nothing", async () => {
    await flushLog(silentLogger());
  });
});
