import { expect } from "chai";
import { documentProse } from "#worker/handlers/text-digest/document-prose.js";

describe("documentProse", () => {
  const texts = (markdown: string) => documentProse(markdown, "markdown").map(({ text }) => text);

  it("keeps the words of links, emphasis and inline code, and drops their marks", () => {
    expect(texts("Use [the **client**](https://x.example) with `await`, *please*.")).to.deep.equal([
      "Use the client with await, please.",
    ]);
  });

  it("drops bare links and the brackets they leave empty", () => {
    expect(texts("Definitions for mocha (https://mocha.example).")).to.deep.equal(["Definitions for mocha."]);
    expect(texts("Call foo() now.")).to.deep.equal(["Call foo() now."]);
  });

  it("drops blocks made of links and images only", () => {
    expect(texts("[![build](b.svg)](x) ![cover](c.svg)\n\n- [One](#one)\n- [Two](#two) and more")).to.deep.equal([
      "Two and more",
    ]);
  });

  it("tells headings, paragraphs and items apart, nested ones too", () => {
    const blocks = documentProse("## Head\n\nText\n\n1. one\n   - inner\n\n> quoted", "markdown");
    expect(blocks).to.deep.equal([
      { kind: "heading", text: "Head", depth: 2 },
      { kind: "paragraph", text: "Text", depth: 0 },
      { kind: "item", text: "one", depth: 0 },
      { kind: "item", text: "inner", depth: 0 },
      { kind: "paragraph", text: "quoted", depth: 0 },
    ]);
  });

  it("takes the title of an HTML heading", () => {
    expect(documentProse('<h1 align="center">Big <i>name</i></h1>\n\nText', "markdown")[0]).to.deep.equal({
      kind: "heading",
      text: "Big name",
      depth: 1,
    });
  });

  it("decodes entities, replaces impossible ones and leaves unknown ones alone", () => {
    expect(texts("a &amp; b &#233; &#xe9; &nosuch; &#xD800; c")).to.deep.equal(["a & b é é &nosuch; \uFFFD c"]);
  });

  it("takes Markdown nested beyond all reason as plain text", () => {
    expect(texts("> ".repeat(20_000) + "deep")[0]).to.match(/deep$/);
  });

  it("splits plain text at empty lines and joins lines within", () => {
    expect(documentProse("# no heading\nsame\n \n```\nkept\n", "plain").map(({ text }) => text)).to.deep.equal([
      "# no heading same",
      "``` kept",
    ]);
  });
});
