import { readdir, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";

/** A real document of this machine. */
export interface DemoDocument {
  /** Absolute. */
  readonly path: string;
  /** For people: a package's name, or the path within the project. */
  readonly title: string;
}

const README = /^readme(\.md|\.markdown)?$/i;
const MARKDOWN = /\.(md|markdown)$/i;
const SKIPPED_FOLDERS = new Set(["node_modules", "dist", "fixtures"]);
const MAX_BYTES = 2 * 1024 * 1024;

/**
 * The Markdown files of a project and the README files of the packages installed in it, nested packages too: the project's own first, then
 * by path; empty ones, larger ones than `text.digest` reads and second copies of one package's README are left out.
 */
export async function collectDocuments(root: string, limit: number): Promise<DemoDocument[]> {
  const own = (await markdownFiles(root)).map((path) => ({ path, title: relative(root, path).split(sep).join("/") }));
  const readmes = await packageReadmes(join(root, "node_modules"));
  const seen = new Set<string>();
  const documents: DemoDocument[] = [];
  for (const document of [...own, ...readmes]) {
    if (documents.length === limit) break;
    if (seen.has(document.title) || !(await isUsable(document.path))) continue;
    seen.add(document.title);
    documents.push(document);
  }
  return documents;
}

async function markdownFiles(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await entriesOf(folder)) {
    const path = join(folder, entry.name);
    if (entry.isFile() && MARKDOWN.test(entry.name)) found.push(path);
    else if (entry.isDirectory() && !entry.name.startsWith(".") && !SKIPPED_FOLDERS.has(entry.name))
      found.push(...(await markdownFiles(path)));
  }
  return found;
}

async function packageReadmes(modules: string): Promise<DemoDocument[]> {
  const found: DemoDocument[] = [];
  for (const entry of await entriesOf(modules)) {
    if (!entry.isDirectory() || entry.name.startsWith(".")) continue;
    const folder = join(modules, entry.name);
    if (entry.name.startsWith("@")) {
      for (const scoped of await entriesOf(folder)) {
        if (scoped.isDirectory())
          found.push(...(await readmesOf(join(folder, scoped.name), `${entry.name}/${scoped.name}`)));
      }
    } else found.push(...(await readmesOf(folder, entry.name)));
  }
  return found;
}

async function readmesOf(folder: string, title: string): Promise<DemoDocument[]> {
  const readme = (await entriesOf(folder)).find((entry) => entry.isFile() && README.test(entry.name));
  const own = readme === undefined ? [] : [{ path: join(folder, readme.name), title }];
  return [...own, ...(await packageReadmes(join(folder, "node_modules")))];
}

/** In the order of code units, so that every run has the same documents. */
async function entriesOf(folder: string) {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}

async function isUsable(path: string): Promise<boolean> {
  const { size } = await stat(path);
  return size > 0 && size <= MAX_BYTES;
}
