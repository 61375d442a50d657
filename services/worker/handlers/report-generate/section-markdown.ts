import { Lexer } from "marked";
import { escapeMarkdown } from "#worker/handlers/report-generate/escape-markdown.js";

/** Headings of a model's text stand below those of the report. */
const HEADING = "####";

/**
 * A model's Markdown as part of a report: headings are lowered, and what would be HTML shows as text; code blocks stay as they are. `isPlain`:
 * the text is none of a model but quoted, and shows letter by letter.
 */
export function sectionMarkdown(text: string, isPlain: boolean): string {
  if (isPlain) return text.split("\n\n").map(escapeMarkdown).join("\n\n");
  return Lexer.lex(text)
    .map((token) => {
      if (token.type === "code") return closed(token.raw);
      const raw = token.type === "heading" ? lowered(token.raw, "text" in token ? String(token.text) : "") : token.raw;
      return raw.replace(/<(?=[a-z/!?])/gi, "&lt;");
    })
    .join("")
    .trim();
}

/** A fence that is never closed, as in an answer that was cut off, would make code of what follows. */
function closed(code: string): string {
  const fence = /^ {0,3}(`{3,}|~{3,})/.exec(code)?.[1];
  if (fence === undefined || new RegExp(`\\n {0,3}${fence}[\`~]*\\s*$`).test(code)) return code;
  return `${code}\n${fence}\n`;
}

function lowered(raw: string, text: string): string {
  return `${HEADING} ${text}${/\s*$/.exec(raw)?.[0] ?? ""}`;
}
