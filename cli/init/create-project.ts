import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { UsageError } from "#cli/command-errors.js";
import { projectFiles } from "#cli/init/project-files.js";

const PACKAGE_NAME = /^(@[a-z0-9][a-z0-9._-]*\/)?[a-z0-9][a-z0-9._-]*$/;
const MAX_NAME_CHARACTERS = 214;

/**
 * Writes a new project into a directory, which is made if missing, and returns the files' paths in it. `name`: the package's; default: made
 * of the directory's. Throws a UsageError, and writes nothing, when the name is not allowed or one of the files is there.
 */
export async function createProject(directory: string, name = nameOf(directory)): Promise<readonly string[]> {
  if (!PACKAGE_NAME.test(name) || name.length > MAX_NAME_CHARACTERS)
    throw new UsageError(
      `${JSON.stringify(name)} cannot name a package: use lower-case letters, digits, ".", "_" and "-"`,
    );
  const files = projectFiles({
    name,
    taskwireRoot: dirname(fileURLToPath(new URL("../../../package.json", import.meta.url))),
    zodRoot: dirname(createRequire(import.meta.url).resolve("zod/package.json")),
  });
  const present = [...files.keys()].filter((file) => existsSync(join(directory, file)));
  if (present.length > 0)
    throw new UsageError(`${directory} has ${present.join(", ")} already; nothing was written. Name another directory`);
  for (const [file, text] of files) {
    const path = join(directory, file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text, { flag: "wx" });
  }
  return [...files.keys()];
}

function nameOf(directory: string): string {
  const name = basename(directory)
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[^a-z0-9]+|-+$/g, "");
  return name === "" ? "my-tasks" : name;
}
