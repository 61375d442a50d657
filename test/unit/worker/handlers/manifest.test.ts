import { expect } from "chai";
import { pathToFileURL } from "node:url";
import { isTaskDefinition } from "#libs/define-task/define-task.js";
import { runHandler } from "#test/support/run-handler.js";
import { BUILT_IN_HANDLERS } from "#worker/handlers/manifest.js";

describe("BUILT_IN_HANDLERS", () => {
  const load = async (file: string): Promise<unknown> => {
    const module: unknown = await import(pathToFileURL(file).href);
    return typeof module === "object" && module !== null && "default" in module ? module.default : undefined;
  };

  it("names modules that default-export a definition each, of different types", async () => {
    const definitions = (await Promise.all(BUILT_IN_HANDLERS.map(load))).filter(isTaskDefinition);
    expect(definitions.map(({ type }) => type)).to.have.members([
      "system.health_check",
      "system.no_op",
      "system.no_op_process",
      "text.digest",
      "report.generate",
      "document.extract",
      "document.chunk",
      "webhook.deliver",
      "resume.process",
    ]);
  });

  it("has no-ops that return an empty object, inline and in a process", async () => {
    for (const file of BUILT_IN_HANDLERS.filter((path) => path.includes("no-op"))) {
      const definition = await load(file);
      expect((await runHandler(definition, {})).result).to.deep.equal({});
      expect(definition).to.have.nested.property("options.isolation", file.includes("process") ? "process" : "inline");
    }
  });
});
