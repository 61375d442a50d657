import { cutText } from "#libs/errors/error-message.js";

/** A text on one line: white space and control characters as single spaces, at most `maxCharacters` UTF-16 units. */
export function oneLine(text: string, maxCharacters: number): string {
  return cutText(text.replace(/[\s\p{Cc}]+/gu, " ").trim(), maxCharacters);
}
