import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { projectFiles } from "#cli/init/project-files.js";
import { PermanentError } from "#libs/define-task/define-task.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { markdownBlocks } from "#test/support/markdown-blocks.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { runHandler } from "#test/support/run-handler.js";
import commandRun from "#worker/handlers/command-run.js";
import { BUILT_IN_HANDLERS } from "#worker/handlers/manifest.js";

const guide = readFileSync(new URL("../../../../../docs/handlers.md", import.meta.url), "utf8");

describe("docs/handlers.md", () => {
  const blocks = markdownBlocks("docs/handlers.md");
  const example = (name: string) => blocks.find((block) => block.example === name)?.text ?? `no example ${name}`;

  it("has an example that runs as it stands", async () => {
    const code = blocks.find(({ text }) => text.startsWith("// word-count.js"))?.text ?? "";
    const file = new URL("./guide-example.mjs", import.meta.url);
    writeFileSync(file, code);
    try {
      const module: unknown = await import(file.href);
      const wordCount: unknown = Reflect.get(Object(module), "wordCount");
      const { result, progress, logs } = await runHandler(wordCount, { lines: ["one two", "three"] });
      expect(result).to.deep.equal({ words: 3 });
      expect(progress.at(-1)).to.deep.equal({ current: 2, total: 2, message: "counting" });
      expect(logs).to.deep.equal(["counted"]);
      expect(await rejectionOf(runHandler(wordCount, { lines: [] })))
        .to.be.instanceOf(PermanentError)
        .with.property("code", "NO_LINES");
    } finally {
      rmSync(file);
    }
  });

  it("names every built-in type", () => {
    const types = [...guide.matchAll(/^\| `([a-z]+\.[a-z_]+)` \|/gm)].map((match) => match[1]);
    expect(types).to.have.lengthOf(BUILT_IN_HANDLERS.length);
  });

  it("shows programs that run as they stand", async () => {
    const directory = freshDirectory();
    for (const file of ["commands.json", "count-words.mjs", "disk-free.sh"])
      writeFileSync(join(directory.path, file), example(file));
    const settings = { TASKWIRE_COMMANDS_FILE: join(directory.path, "commands.json") };
    const run = (payload: object) => runHandler(commandRun, payload, { settings });
    try {
      const counted = await run({ command: "count-words", input: ["one two", "three"] });
      expect(counted.result).to.deep.equal({ words: 3, locale: "en" });
      expect(counted.progress.at(-1)).to.deep.equal({ current: 2, total: 2, message: "counting" });
      expect(await rejectionOf(run({ command: "count-words" })))
        .to.be.instanceOf(PermanentError)
        .with.property("code", "NO_LINES");
      const { result, output } = await run({ command: "disk-free" });
      expect(result).to.deep.equal({ attempt: 1 });
      expect(output).to.include("Filesystem");
    } finally {
      directory.remove();
    }
  });

  it("shows the project that taskwire init makes, and the commands of its README", () => {
    const files = projectFiles({ name: "my-tasks", taskwireRoot: "/taskwire", zodRoot: "/zod" });
    expect(example("tasks/greet.js")).to.equal(files.get("tasks/greet.js"));
    expect(files.get("test/greet.test.js")).to.include(example("test/greet.test.js"));
    for (const name of ["install and test", "start", "run"])
      expect(files.get("README.md"), name).to.include(`\`\`\`sh\n${example(name)}\`\`\``);
    expect(example("init")).to.equal("taskwire init my-tasks\ncd my-tasks\n");
  });
});
