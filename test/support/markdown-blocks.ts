import { readFileSync } from "node:fs";

/** A fenced block of a page. */
export interface MarkdownBlock {
  /** What follows the fence: `sh`, `ts`, `js`, `text`. */
  readonly language: string;
  /** The name in `<!-- example: NAME -->` above the block; undefined where there is none. */
  readonly example: string | undefined;
  /** The reason in `<!-- not run: REASON -->` above the block; undefined where there is none. */
  readonly notRun: string | undefined;
  readonly text: string;
  /** Line of the opening fence, from 1. */
  readonly line: number;
}

const ROOT = new URL("../../../", import.meta.url);
const BLOCK = /^(?:<!-- (example|not run): (.*?) -->\n\n)?```(\w*)\n([\s\S]*?)^```$/gm;

/** The fenced blocks of a page of the project (`README.md`, `docs/handlers.md`) in their order, with the marks above them. */
export function markdownBlocks(page: string): MarkdownBlock[] {
  const text = readFileSync(new URL(page, ROOT), "utf8");
  return [...text.matchAll(BLOCK)].map((match) => {
    const [whole, mark, words, language = "", code = ""] = match;
    const fence = match.index + whole.indexOf("```");
    return {
      language,
      example: mark === "example" ? words : undefined,
      notRun: mark === "not run" ? words : undefined,
      text: code,
      line: text.slice(0, fence).split("\n").length,
    };
  });
}
