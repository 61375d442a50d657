/** The message of anything thrown. */
export function errorMessage(error: unknown): string {
  if (error instanceof Error) return error.message;
  return typeof error === "string" ? error : String(error);
}

/**
 * Cuts a text to at most `maxCharacters` UTF-16 units without splitting a character, ending in `…` where something was cut.
 * Lone surrogates are replaced, so that the result can always be sent.
 */
export function cutText(text: string, maxCharacters: number): string {
  if (text.length <= maxCharacters) return text.isWellFormed() ? text : text.toWellFormed();
  let end = maxCharacters - 1;
  const last = text.charCodeAt(end - 1);
  if (last >= 0xd800 && last <= 0xdbff) end -= 1;
  return `${text.slice(0, end).toWellFormed()}…`;
}
