import { readdirSync } from "node:fs";
import { join, relative } from "node:path";

/** Where in a list of folders a file is; those of other folders come last. Earlier folders have the longer files. */
const LONGEST_FIRST = ["robustness/", "integration/", "conformance/"];

/** Of a pattern, as regular expressions. */
const MEANINGS = new Map([
  ["**/", "(?:.*/)?"],
  ["**", ".*"],
  ["*", "[^/]*"],
  ["?", "[^/]"],
]);

/**
 * Returns the test files below `root` that one of the patterns names, as paths below `from`; those that take longest come first, so that none
 * of them runs on alone at the end. A pattern is a path, with `*`, `**`, `?` and `{a,b}`, or a folder. Throws when one of them names no file.
 */
export function findTestFiles(root: string, patterns: readonly string[], from = process.cwd()): readonly string[] {
  const all = readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".test.js"))
    .map((path) => relative(from, join(root, path)));
  const chosen = patterns.flatMap((pattern) => {
    const expression = patternExpression(pattern);
    const files = all.filter((file) => expression.test(file));
    if (files.length === 0) throw new Error(`no test file is called ${pattern}`);
    return files;
  });
  const below = relative(from, root);
  const rank = (file: string) => {
    const place = LONGEST_FIRST.findIndex((folder) => file.startsWith(join(below, folder)));
    return place < 0 ? LONGEST_FIRST.length : place;
  };
  return [...new Set(chosen)].sort((one, other) => rank(one) - rank(other) || (one < other ? -1 : 1));
}

function patternExpression(pattern: string): RegExp {
  const source = pattern
    .replace(/^\.\/|\/$/g, "")
    .replace(/\*\*\/|\*\*|\{([^{}]*)\}|[*?.+^$()|[\]\\]/g, (token, names: string | undefined) => {
      if (names !== undefined) return `(?:${names.replaceAll(",", "|")})`;
      return MEANINGS.get(token) ?? `\\${token}`;
    });
  return new RegExp(`^${source}(?:/.*)?$`);
}
