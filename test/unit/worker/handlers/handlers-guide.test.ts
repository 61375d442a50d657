import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { expect } from "chai";
import { PermanentError } from "#libs/define-task/define-task.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { runHandler } from "#test/support/run-handler.js";
import { BUILT_IN_HANDLERS } from "#worker/handlers/manifest.js";

const guide = readFileSync(new URL("../../../../../docs/handlers.md", import.meta.url), "utf8");

describe("docs/handlers.md", () => {
  it("has an example that runs as it stands", async () => {
    const code = /```js\n([\s\S]*?)```/.exec(guide)?.[1] ?? "";
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
    const types = [...guide.matchAll(/^\| `((?:system|text|report|document|webhook)\.[a-z_]+)` \|/gm)].map(
      (match) => match[1],
    );
    expect(types).to.have.lengthOf(BUILT_IN_HANDLERS.length);
  });
});
