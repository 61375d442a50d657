/** Makes a text stand as it is, in a paragraph or a table cell. */
export function escapeMarkdown(text: string): string {
  return text
    .replace(/\s+/g, " ")
    .replace(/[\\`*_[\]<>|~]/g, "\\$&")
    .replace(/^([#+-]|\d+[.)])(?=\s)/, "\\$1");
}
