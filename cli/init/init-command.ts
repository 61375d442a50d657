import { relative, resolve } from "node:path";
import { Command } from "commander";
import { createProject } from "#cli/init/create-project.js";

/** `taskwire init`: a project with a handler of one's own. */
export function initCommand(): Command {
  return new Command("init")
    .summary("make a project with a handler of your own, its test and a start script")
    .description(
      "Makes a project with one typed handler, its test, a start script and a README with the commands. Existing files are never\n" +
        "overwritten: when one of them is there, nothing is written (exit code 2). The project links to this copy of Taskwire.",
    )
    .argument("[directory]", "where; made if missing", ".")
    .option("--name <name>", "the package's name (default: that of the directory)")
    .addHelpText("after", "\nExample:\n  $ taskwire init my-tasks && cd my-tasks && npm install && npm test")
    .action(async (directory: string, flags: { readonly name?: string }) => {
      const path = resolve(directory);
      const files = await createProject(path, flags.name);
      const where = relative(process.cwd(), path);
      const lines = [
        ...files.map((file) => `  ${file}`),
        "",
        "Next:",
        ...(where === "" ? [] : [`  cd ${/^[\w./-]+$/.test(where) ? where : JSON.stringify(where)}`]),
        "  npm install",
        "  npm test",
        "  npm start",
        "",
      ];
      process.stdout.write(`Made ${path}:\n${lines.join("\n")}`);
    });
}
