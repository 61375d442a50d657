import { expect } from "chai";
import { displayWidth, fitWidth, table } from "#cli/output/table.js";

const red = (text: string) => `\u001b[31m${text}\u001b[39m`;

describe("table", () => {
  it("aligns columns, whatever colours and wide characters they hold", () => {
    const rows = [
      ["a", red("long cell"), "x"],
      ["한글", "b", "y"],
    ];
    expect(table(["ID", "NAME", "END"], rows).split("\n")).to.deep.equal([
      "ID    NAME       END",
      `a     ${red("long cell")}  x`,
      "한글  b          y",
    ]);
  });

  it("leaves no blanks at the end of lines", () => {
    expect(table(["A", "B"], [["1", ""]])).to.equal("A  B\n1");
  });
});

describe("displayWidth", () => {
  it("counts columns, not code units", () => {
    expect(displayWidth("abc")).to.equal(3);
    expect(displayWidth("한글")).to.equal(4);
    expect(displayWidth("🙂")).to.equal(2);
    expect(displayWidth(red("ab"))).to.equal(2);
  });
});

describe("fitWidth", () => {
  it("keeps what fits, colours and all", () => {
    expect(fitWidth(red("abc"), 3)).to.equal(red("abc"));
  });

  it("cuts what does not, never through a wide character", () => {
    expect(fitWidth("abcdef", 4)).to.equal("abc…");
    expect(fitWidth("한글한글", 4)).to.equal("한…");
    expect(displayWidth(fitWidth("한글한글", 6))).to.be.at.most(6);
  });
});
