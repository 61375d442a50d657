import { expect } from "chai";
import { Command } from "commander";
import { addSchemaFlags, givenFlags } from "#cli/schema-flags.js";
import { oneOf, text, textList, toggle, wholeNumber } from "#libs/config/setting-kinds.js";
import { readSettings } from "#libs/config/settings.js";

const schema = {
  port: wholeNumber({ env: "TASKWIRE_GRPC_PORT", doc: "A port.", default: 1, min: 0, max: 9, unit: "x" }),
  tasks: textList({ env: "TASKWIRE_TASKS", doc: "Modules.", default: [], allowed: "paths" }),
  level: oneOf({ env: "TASKWIRE_LOG_LEVEL", doc: "A level.", default: "info", values: ["info", "warn"] }),
  toggle: toggle({ env: "TASKWIRE_X2_ON", doc: "A switch.", default: true }),
};

function parsed(...args: string[]): Record<string, string | undefined> {
  const command = addSchemaFlags(new Command("test"), schema);
  command.parse(args, { from: "user" });
  return givenFlags(command, schema);
}

describe("addSchemaFlags", () => {
  it("gives every setting its flag, and leaves out what was not given", () => {
    expect(parsed()).to.deep.equal({});
    expect(parsed("--grpc-port", "5", "--log-level", "warn", "--x2-on", "false")).to.deep.equal({
      "grpc-port": "5",
      "log-level": "warn",
      "x2-on": "false",
    });
  });

  it("lets lists be repeated", () => {
    const flags = parsed("--tasks", "./a.js", "--tasks", "./b.js,./c.js");
    expect(readSettings(schema, { flags, env: {} }).tasks).to.deep.equal(["./a.js", "./b.js", "./c.js"]);
  });

  it("leaves checking to the settings, so that all problems are reported together", () => {
    expect(() => readSettings(schema, { flags: parsed("--grpc-port", "99", "--log-level", "loud"), env: {} })).to.throw(
      "2 problems",
    );
  });

  it("gives secrets none: other users of the machine see command lines", () => {
    const secret = text({ env: "TASKWIRE_KEY", doc: "A key.", default: "", allowed: "a key", secret: true });
    const command = addSchemaFlags(new Command("test"), { secret });
    expect(command.options).to.deep.equal([]);
    expect(givenFlags(command, { secret })).to.deep.equal({});
  });

  it("documents meaning, range, default and variable", () => {
    const help = addSchemaFlags(new Command("test"), schema).helpInformation().replace(/\s+/g, " ");
    expect(help).to.include("--grpc-port <value> A port. (0–9; default 1 x; TASKWIRE_GRPC_PORT)");
  });
});
