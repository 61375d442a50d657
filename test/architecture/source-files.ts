import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

/** The folder that holds package.json. */
export const PROJECT = fileURLToPath(new URL("../../../", import.meta.url));

/** A source file of the project and what it imports. */
export interface SourceFile {
  /** From the project's root, with `/`. */
  readonly path: string;
  readonly text: string;
  /** What is imported, type-only imports and re-exports too: project files by path, packages by name, node's own as `node:name`. */
  readonly imports: readonly string[];
  /** Whether it says `export * from`. */
  readonly hasStarExport: boolean;
}

const ROOMS = ["libs", "services", "cli", "test", "scripts"];
const ALIASES: readonly (readonly [string, string])[] = [
  ["#libs/", "libs/"],
  ["#task-service/", "services/task-service/"],
  ["#worker/", "services/worker/"],
  ["#cli/", "cli/"],
  ["#test/", "test/"],
];

/** Every TypeScript file that people write; generated code is left out. */
export function sourceFiles(): SourceFile[] {
  const paths = ROOMS.flatMap((room) =>
    readdirSync(join(PROJECT, room), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
      .map((entry) => join(entry.parentPath, entry.name).slice(PROJECT.length).replaceAll("\\", "/")),
  );
  return paths.filter((path) => !path.startsWith("libs/proto/gen/")).map(readSource);
}

function readSource(path: string): SourceFile {
  const text = readFileSync(join(PROJECT, path), "utf8");
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, false);
  const imports = new Set<string>();
  let hasStarExport = false;
  const visit = (node: ts.Node) => {
    const from = specifierOf(node);
    if (from !== undefined) imports.add(resolveImport(path, from));
    if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined && node.exportClause === undefined)
      hasStarExport = true;
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return { path, text, imports: [...imports], hasStarExport };
}

function specifierOf(node: ts.Node): string | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
    return node.moduleSpecifier !== undefined && ts.isStringLiteral(node.moduleSpecifier)
      ? node.moduleSpecifier.text
      : undefined;
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument) && ts.isStringLiteral(node.argument.literal)) {
    return node.argument.literal.text;
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    const [argument] = node.arguments;
    return argument !== undefined && ts.isStringLiteral(argument) ? argument.text : undefined;
  }
  return undefined;
}

function resolveImport(from: string, specifier: string): string {
  const source = specifier.replace(/\.js$/, ".ts");
  const alias = ALIASES.find(([prefix]) => specifier.startsWith(prefix));
  if (alias !== undefined) return alias[1] + source.slice(alias[0].length);
  if (specifier.startsWith(".")) return normalize(join(dirname(from), source)).replaceAll("\\", "/");
  if (specifier.startsWith("node:")) return specifier;
  const parts = specifier.split("/");
  return specifier.startsWith("@") ? parts.slice(0, 2).join("/") : (parts[0] ?? specifier);
}
