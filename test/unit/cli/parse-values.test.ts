import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { expect } from "chai";
import { InvalidArgumentError } from "commander";
import { UsageError } from "#cli/command-errors.js";
import {
  parseLabel,
  parseList,
  parseNumber,
  parseSpan,
  parseTime,
  parseWhole,
  readPayload,
} from "#cli/parse-values.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { rejectionOf } from "#test/support/rejection-of.js";

const noInput = Readable.from([]);

describe("parseSpan", () => {
  for (const [text, milliseconds] of [
    ["500ms", 500],
    ["30s", 30_000],
    ["1.5m", 90_000],
    ["2h", 7_200_000],
    ["1d", 86_400_000],
    ["0s", 0],
  ] as const) {
    it(`reads ${text}`, () => {
      expect(parseSpan(text)).to.equal(milliseconds);
    });
  }

  for (const text of ["", "5", "s", "-5s", "5 s", "5w", "1e3s"]) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      expect(() => parseSpan(text)).to.throw(InvalidArgumentError, "500ms");
    });
  }
});

describe("parseTime", () => {
  it("reads RFC 3339 and refuses anything that is no time", () => {
    expect(parseTime("2026-03-01T08:00:00Z").getTime()).to.equal(Date.UTC(2026, 2, 1, 8));
    expect(() => parseTime("tomorrow-ish")).to.throw(InvalidArgumentError);
  });
});

describe("parseNumber", () => {
  it("takes whole numbers and fractions only", () => {
    expect(["2", "1.5", "-0.25"].map(parseNumber)).to.deep.equal([2, 1.5, -0.25]);
    for (const text of ["", ".5", "ten", "1e3", "1.5.1"])
      expect(() => parseNumber(text)).to.throw(InvalidArgumentError);
  });
});

describe("parseWhole", () => {
  it("reads whole numbers, negative ones too, and nothing else", () => {
    expect(parseWhole("-100")).to.equal(-100);
    for (const text of ["", "1.5", "ten", "0x10"]) expect(() => parseWhole(text)).to.throw(InvalidArgumentError);
  });
});

describe("parseLabel", () => {
  it("gathers pairs; a value may hold = and be empty", () => {
    expect(parseLabel("b==", parseLabel("a="))).to.deep.equal({ a: "", b: "=" });
  });

  it("refuses what has no key", () => {
    for (const text of ["a", "=b", ""]) expect(() => parseLabel(text)).to.throw(InvalidArgumentError, "KEY=VALUE");
  });
});

describe("parseList", () => {
  it("gathers repeated and comma-separated values", () => {
    expect(parseList("c", parseList("a,b"))).to.deep.equal(["a", "b", "c"]);
  });
});

describe("readPayload", () => {
  const directory = freshDirectory();
  after(() => {
    directory.remove();
  });

  it("reads JSON from the argument, a file or stdin", async () => {
    const file = join(directory.path, "payload.json");
    writeFileSync(file, '{"from":"file"}');
    expect(await readPayload('{"from":"argument"}', noInput)).to.deep.equal({ from: "argument" });
    expect(await readPayload(`@${file}`, noInput)).to.deep.equal({ from: "file" });
    expect(await readPayload("-", Readable.from(['{"from":', '"stdin"}']))).to.deep.equal({ from: "stdin" });
  });

  for (const text of ["[1]", "null", '"text"', "7", "{", ""]) {
    it(`refuses ${JSON.stringify(text)}`, async () => {
      expect(await rejectionOf(readPayload(text, noInput))).to.be.instanceOf(UsageError);
    });
  }

  it("does not quote what it cannot read", async () => {
    for (const text of ['{"card":4111222233334444,}', "hunter2", '{"password":"hunter2"'])
      expect((await rejectionOf(readPayload(text, noInput))).message).to.match(
        /^the payload is not JSON(: see position \d+)?$/,
      );
  });

  it("names a file that cannot be read", async () => {
    expect((await rejectionOf(readPayload("@/no/such/file", noInput))).message).to.include("/no/such/file");
  });
});
