/** What can steer a terminal, except tab and line breaks: control characters and what turns the direction of writing. */
const STEERING = /(?!\t|\n|\r\n)\p{Cc}|[\u202a-\u202e\u2066-\u2069]/gu;

/**
 * Somebody else's text, fit for a terminal: whatever could move the cursor, change colours or hide other text is written out, as `\x1b` or
 * `\u202e`. Tabs and line breaks (`\n`, `\r\n`) stay.
 */
export function harmlessText(text: string): string {
  return text.replace(STEERING, writtenOut);
}

/** The same on one line: line breaks are written out as well, as `\n`. */
export function harmlessLine(text: string): string {
  return harmlessText(text).replace(/\r?\n/g, "\\n");
}

/** The same within a row of a table or a line that is drawn in place: a tab is one column wide. */
export function harmlessCell(text: string): string {
  return harmlessLine(text).replaceAll("\t", " ");
}

function writtenOut(character: string): string {
  const code = character.charCodeAt(0);
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16)}`;
}
