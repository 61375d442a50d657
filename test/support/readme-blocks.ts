import { readFileSync } from "node:fs";

/** A fenced block of the README. */
export interface ReadmeBlock {
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

const README = new URL("../../../README.md", import.meta.url);
const BLOCK = /^(?:<!-- (example|not run): (.*?) -->\n\n)?```(\w*)\n([\s\S]*?)^```$/gm;

/** The README's fenced blocks in their order, with the marks above them. */
export function readmeBlocks(): ReadmeBlock[] {
  const readme = readFileSync(README, "utf8");
  return [...readme.matchAll(BLOCK)].map((match) => {
    const [whole, mark, words, language = "", text = ""] = match;
    const fence = match.index + whole.indexOf("```");
    return {
      language,
      example: mark === "example" ? words : undefined,
      notRun: mark === "not run" ? words : undefined,
      text,
      line: readme.slice(0, fence).split("\n").length,
    };
  });
}
