import { convert, type FormatCallback, type HtmlToTextOptions } from "html-to-text";

/** What a page says. */
export interface HtmlText {
  /** Of its `<title>`; undefined: it has none. */
  readonly title: string | undefined;
  /** Markdown, as far as headings and lists go. */
  readonly text: string;
}

/** What is no prose. */
const SKIPPED = [
  "nav",
  "footer",
  "aside",
  "form",
  "script",
  "style",
  "noscript",
  "template",
  "svg",
  "iframe",
  "img",
  "button",
];
const HEADINGS = ["h1", "h2", "h3", "h4", "h5", "h6"];
/** Deeper elements are left out: the parser's stack is bounded. */
const MAX_DEPTH = 200;

const heading: FormatCallback = (element, walk, builder) => {
  const level = Number(element.name?.slice(1) ?? 1);
  builder.openBlock({ leadingLineBreaks: 2 });
  builder.addLiteral(`${"#".repeat(level)} `);
  walk(element.children, builder);
  builder.closeBlock({ trailingLineBreaks: 2 });
};

const common: HtmlToTextOptions = { wordwrap: false, limits: { maxDepth: MAX_DEPTH } };

/** The prose of a page, by `html-to-text`: without navigation, forms, scripts, images and link targets. */
export function htmlText(html: string): HtmlText {
  const title = convert(html, { ...common, baseElements: { selectors: ["title"], returnDomByDefault: false } });
  const text = convert(html, {
    ...common,
    formatters: { heading },
    selectors: [
      { selector: "a", options: { ignoreHref: true } },
      ...SKIPPED.map((selector) => ({ selector, format: "skip" })),
      ...HEADINGS.map((selector) => ({ selector, format: "heading" })),
    ],
  });
  const name = title.replace(/\s+/g, " ").trim();
  return { title: name === "" ? undefined : name, text };
}
