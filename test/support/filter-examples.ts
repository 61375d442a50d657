import { readFileSync } from "node:fs";

const PAGE = new URL("../../../docs/filter.md", import.meta.url);

/** The rows of a table of docs/filter.md, without its head: the cells of each, without the backticks of the first two. */
export function filterTable(heading: string): string[][] {
  const [, section] = readFileSync(PAGE, "utf8").split(`\n## ${heading}\n`);
  if (section === undefined) throw new Error(`docs/filter.md has no section “${heading}”`);
  const lines =
    section
      .split("\n## ")[0]
      ?.split("\n")
      .filter((line) => line.startsWith("|")) ?? [];
  return lines.slice(2).map((line) =>
    line
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim().replace(/^`(.*)`$/, "$1")),
  );
}
