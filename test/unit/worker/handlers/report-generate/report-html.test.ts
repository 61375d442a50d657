import { expect } from "chai";
import { reportHtml } from "#worker/handlers/report-generate/report-html.js";
import { sectionMarkdown } from "#worker/handlers/report-generate/section-markdown.js";

const bodyOf = (markdown: string) => /<body>\n([\s\S]*)<\/body>/.exec(reportHtml(markdown, "T", "en"))?.[1] ?? "";

describe("reportHtml", () => {
  it("is a page that runs and loads nothing", () => {
    const page = reportHtml("# A", 'x"><script>', "ko");
    expect(page)
      .to.match(/^<!doctype html>\n<html lang="ko">/)
      .and.include("default-src 'none'");
    expect(page).to.include("<title>x&quot;&gt;&lt;script&gt;</title>").and.include("<h1>A</h1>");
  });

  it("keeps the report's anchors and shows all other HTML as text", () => {
    expect(bodyOf('<a id="section-1"></a>\n\n## One')).to.equal('<p><a id="section-1"></a></p>\n<h2>One</h2>\n');
    for (const html of [
      "<script>alert(1)</script>",
      "a <img src=x onerror=alert(1)> b",
      '<a id="x" onclick="alert(1)">',
      "<a id='x'>",
      "<!-- --><b>",
      "<svg/onload=alert(1)>",
      "| a |\n| - |\n| <b onclick=x> |",
    ]) {
      expect(bodyOf(html), html).not.to.match(/<(?!\/?(p|table|thead|tbody|tr|th|td)>)/);
    }
  });

  it("lets links lead to harmless places only, and loads no picture", () => {
    expect(bodyOf("[a](https://example.org/?a=1&b=2)")).to.include('<a href="https://example.org/?a=1&amp;b=2" rel=');
    expect(bodyOf("[a](#by-relevance)")).to.include('href="#by-relevance"');
    for (const href of [
      "javascript:alert(1)",
      "JaVaScRiPt:x",
      "data:text/html,x",
      "vbscript:x",
      "&#106;avascript:x",
      "file:///x",
    ])
      expect(bodyOf(`[a](${href})`), href).to.equal("<p>a</p>\n");
    expect(bodyOf('![<x" y](http://127.0.0.1/p.png)')).to.equal("<p>&lt;x&quot; y</p>\n");
  });
});

describe("sectionMarkdown", () => {
  it("lowers a model's headings and lets no HTML stand, but leaves code alone", () => {
    const text = "# Top\n\nWith <b>bold</b> and 1 < 2.\n\n```html\n# <b>\n```\n\nEnd </a>";
    expect(sectionMarkdown(text, false)).to.equal(
      "#### Top\n\nWith &lt;b>bold&lt;/b> and 1 < 2.\n\n```html\n# <b>\n```\n\nEnd &lt;/a>",
    );
  });

  it("closes a fence that an answer which was cut off leaves open", () => {
    expect(sectionMarkdown("See:\n\n```js\nlet a;", false)).to.equal("See:\n\n```js\nlet a;\n```");
    expect(sectionMarkdown("```js\nlet a;\n```", false)).to.equal("```js\nlet a;\n```");
  });

  it("shows quoted text letter by letter, paragraph by paragraph", () => {
    expect(sectionMarkdown("# not a *heading*\n\n1. no list <b>", true)).to.equal(
      "\\# not a \\*heading\\*\n\n\\1. no list \\<b\\>",
    );
  });
});
