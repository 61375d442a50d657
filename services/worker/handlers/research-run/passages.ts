import type { ProseBlock } from "#worker/handlers/text-digest/document-prose.js";
import { sentencesOf } from "#worker/handlers/text-digest/split-text.js";

/** Characters from which on a passage is closed. */
const PASSAGE_CHARACTERS = 1000;
/** A longer block is cut between sentences. */
const LONG_BLOCK_CHARACTERS = 2000;

/**
 * The passages of a document, in its order, as Markdown: neighbouring blocks under their heading, some thousand characters. A heading begins a
 * new one; headings with nothing below them are left out.
 */
export function passagesOf(blocks: readonly ProseBlock[]): string[] {
  const passages: string[] = [];
  let heading = "";
  let open: string[] = [];
  let length = 0;
  const close = () => {
    if (open.length > 0) passages.push([...(heading === "" ? [] : [heading]), ...open].join("\n\n"));
    open = [];
    length = 0;
  };
  for (const { kind, text } of blocks) {
    if (kind === "heading") {
      close();
      heading = `### ${text}`;
      continue;
    }
    for (const part of text.length > LONG_BLOCK_CHARACTERS ? cutBlock(text) : [text]) {
      if (length > 0 && length + part.length > PASSAGE_CHARACTERS) close();
      open.push(part);
      length += part.length;
    }
  }
  close();
  return passages;
}

/** A long block in parts of whole sentences; a sentence without end is cut anywhere. */
function cutBlock(text: string): string[] {
  const parts: string[] = [];
  let open = "";
  for (const sentence of sentencesOf(text, "und")) {
    for (const piece of sentence.match(/[\s\S]{1,1000}/gu) ?? []) {
      if (open !== "" && open.length + piece.length > PASSAGE_CHARACTERS) {
        parts.push(open);
        open = "";
      }
      open = open === "" ? piece : `${open} ${piece}`;
    }
  }
  if (open !== "") parts.push(open);
  return parts;
}
