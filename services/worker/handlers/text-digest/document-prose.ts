import { Lexer, type Token, type Tokens } from "marked";

/** One block of running text: what a reader reads in one go. */
export interface ProseBlock {
  readonly kind: "heading" | "paragraph" | "item";
  readonly text: string;
  /** 1 to 6 for a heading, else 0. */
  readonly depth: number;
}

/** How a document is written. */
export type DocumentFormat = "markdown" | "plain";

const FRONT_MATTER = /^---\r?\n[\s\S]*?\r?\n(?:---|\.\.\.)\r?\n/;
const LETTER_OR_DIGIT = /[\p{L}\p{N}]/u;
const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " " };

/**
 * The prose of a document, block by block. Of Markdown (CommonMark and GitHub tables, by `marked`) these are the headings, paragraphs, list
 * items and quotes; code blocks, tables, HTML blocks (but for their `<h1>`), images, front matter and blocks made of nothing but links (badges, tables of
 * contents) are left out. Plain text is split at empty lines; so is Markdown nested deeper than the parser's stack, thousands of levels.
 */
export function documentProse(text: string, format: DocumentFormat): ProseBlock[] {
  if (format === "plain") return plainBlocks(text);
  const blocks: ProseBlock[] = [];
  try {
    collect(Lexer.lex(text.replace(FRONT_MATTER, "")), "paragraph", blocks);
  } catch (error) {
    if (error instanceof RangeError) return plainBlocks(text);
    throw error;
  }
  return blocks;
}

function plainBlocks(text: string): ProseBlock[] {
  const blocks: ProseBlock[] = [];
  for (const part of text.split(/\r?\n[ \t]*\r?\n/)) addBlock(blocks, "paragraph", part, 0);
  return blocks;
}

function collect(tokens: readonly Token[], kind: "paragraph" | "item", blocks: ProseBlock[]): void {
  for (const token of tokens as readonly Tokens.Generic[]) {
    if (token.type === "heading") addBlock(blocks, "heading", inlineText(token.tokens ?? []), Number(token["depth"]));
    else if (token.type === "paragraph" || token.type === "text") collectInline(token, kind, blocks);
    else if (token.type === "html") addBlock(blocks, "heading", htmlTitle(String(token["text"])), 1);
    else if (token.type === "blockquote") collect(token.tokens ?? [], kind, blocks);
    else if (token.type === "list")
      for (const item of (token as Tokens.List).items) collect(item.tokens, "item", blocks);
  }
}

function collectInline(token: Tokens.Generic, kind: "paragraph" | "item", blocks: ProseBlock[]): void {
  const inline = token.tokens ?? [];
  if (inline.length > 0 && isNavigation(inline)) return;
  addBlock(blocks, kind, inline.length > 0 ? inlineText(inline) : decodeEntities(String(token["text"] ?? "")), 0);
}

function addBlock(blocks: ProseBlock[], kind: ProseBlock["kind"], text: string, depth: number): void {
  const clean = text
    .replace(/\s+/g, " ")
    .replace(/ \( ?\)/g, "")
    .trim();
  if (LETTER_OR_DIGIT.test(clean)) blocks.push({ kind, text: clean, depth });
}

/** Whether nothing with a letter or digit stands outside links and images. */
function isNavigation(tokens: readonly Token[]): boolean {
  const hasLink = tokens.some((token) => token.type === "link" || token.type === "image");
  if (!hasLink) return false;
  return !LETTER_OR_DIGIT.test(inlineText(tokens.filter((token) => token.type !== "link")));
}

function inlineText(tokens: readonly Token[]): string {
  let text = "";
  for (const token of tokens as readonly Tokens.Generic[]) {
    if (token.type === "image" || token.type === "html" || token.type === "checkbox") continue;
    if (token.type === "br") text += " ";
    else if (token.type === "link" && isBareLink(token)) continue;
    else if (token.tokens !== undefined && token.tokens.length > 0) text += inlineText(token.tokens);
    else text += decodeEntities(String(token["text"] ?? ""));
  }
  return text;
}

/** The text of an HTML title, `<h1 align="center">…</h1>`; empty when there is none. */
function htmlTitle(html: string): string {
  const inner = /<h1\b[^>]*>([\s\S]*?)<\/h1>/i.exec(html)?.[1] ?? "";
  return decodeEntities(inner.replace(/<[^>]*>/g, " "));
}

function isBareLink(token: Tokens.Generic): boolean {
  const text = String(token["text"]);
  return text === token["href"] || /^(https?:\/\/|www\.)/i.test(text);
}

function decodeEntities(text: string): string {
  return text.replace(
    /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]+));/gi,
    (whole, decimal?: string, hex?: string, name?: string) => {
      if (name !== undefined) return ENTITIES[name.toLowerCase()] ?? whole;
      const point = decimal !== undefined ? Number(decimal) : Number.parseInt(hex ?? "", 16);
      return point > 0 && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff)
        ? String.fromCodePoint(point)
        : "\uFFFD";
    },
  );
}
