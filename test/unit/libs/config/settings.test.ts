import { expect } from "chai";
import { oneOf, text, textList, toggle, wholeNumber } from "#libs/config/setting-kinds.js";
import { ConfigError, flagOf, printable, readSettings } from "#libs/config/settings.js";

const schema = {
  grpcPort: wholeNumber({ env: "TASKWIRE_GRPC_PORT", doc: "A port.", default: 50051, min: 0, max: 65_535 }),
  queues: textList({
    env: "TASKWIRE_QUEUES",
    doc: "Queues.",
    default: ["default"],
    allowed: "names",
    pattern: /^[a-z]+$/,
  }),
  level: oneOf({ env: "TASKWIRE_LEVEL", doc: "A level.", default: "info", values: ["info", "warn"] }),
  reflection: toggle({ env: "TASKWIRE_REFLECTION", doc: "A switch.", default: true }),
  password: text({
    env: "TASKWIRE_PASSWORD",
    doc: "A secret.",
    default: "",
    allowed: "4 or more characters",
    pattern: /^.{4,}$/,
    secret: true,
  }),
};

function problemsOf(read: () => unknown): readonly string[] {
  try {
    read();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  throw new Error("expected a ConfigError");
}

describe("readSettings", () => {
  it("takes defaults where nothing is said, and where nothing but an empty text is said", () => {
    const settings = readSettings(schema, { env: { TASKWIRE_GRPC_PORT: "" } });
    expect(settings).to.deep.equal({
      grpcPort: 50051,
      queues: ["default"],
      level: "info",
      reflection: true,
      password: "",
    });
  });

  it("reads the environment", () => {
    const env = {
      TASKWIRE_GRPC_PORT: "0",
      TASKWIRE_QUEUES: "mail, ship,",
      TASKWIRE_LEVEL: "warn",
      TASKWIRE_REFLECTION: "false",
    };
    const settings = readSettings(schema, { env });
    expect(settings).to.include({ grpcPort: 0, level: "warn", reflection: false });
    expect(settings.queues).to.deep.equal(["mail", "ship"]);
  });

  it("prefers the command line to the environment", () => {
    const settings = readSettings(schema, { flags: { "grpc-port": "7" }, env: { TASKWIRE_GRPC_PORT: "8" } });
    expect(settings.grpcPort).to.equal(7);
  });

  it("reports every problem at once, by the name that was used", () => {
    const problems = problemsOf(() =>
      readSettings(schema, {
        flags: { level: "loud" },
        env: { TASKWIRE_GRPC_PORT: "65536", TASKWIRE_QUEUES: "ok,NOT", TASKWIRE_REFLECTION: "yes" },
      }),
    );
    expect(problems).to.deep.equal([
      'TASKWIRE_GRPC_PORT="65536" is not allowed: it must be a whole number in 0–65535',
      'TASKWIRE_QUEUES="ok,NOT" is not allowed: "NOT" is not names',
      '--level="loud" is not allowed: it must be one of info, warn',
      'TASKWIRE_REFLECTION="yes" is not allowed: it must be true or false',
    ]);
  });

  for (const value of ["1.5", "1e3", "0x10", " ", "ten", "-1", "99999999999999999999"]) {
    it(`refuses ${JSON.stringify(value)} as a whole number`, () => {
      expect(problemsOf(() => readSettings(schema, { env: { TASKWIRE_GRPC_PORT: value } }))).to.have.length(1);
    });
  }

  it("never shows a secret, neither in problems nor in print", () => {
    expect(problemsOf(() => readSettings(schema, { env: { TASKWIRE_PASSWORD: "abc" } })).join()).not.to.include("abc");
    const settings = readSettings(schema, { env: { TASKWIRE_PASSWORD: "abcdef" } });
    expect(printable(schema, settings)).to.include({ password: "***", grpcPort: 50051 });
  });

  it("shows no password of an address", () => {
    const address = text({
      env: "TASKWIRE_NATS_URL",
      doc: "NATS.",
      default: "",
      allowed: "an address",
      pattern: /^nats:/,
    });
    const env = { TASKWIRE_NATS_URL: "http://me:hunter2@host" };
    expect(problemsOf(() => readSettings({ address }, { env }))).to.deep.equal([
      'TASKWIRE_NATS_URL="http://***@host" is not allowed: it must be an address',
    ]);
  });

  it("adds the problems of a check that looks at all settings together", () => {
    const check = ({ grpcPort }: { readonly grpcPort: number }) => (grpcPort === 50051 ? ["not this one"] : []);
    expect(problemsOf(() => readSettings(schema, { env: {} }, check))).to.deep.equal(["not this one"]);
    expect(problemsOf(() => readSettings(schema, { env: { TASKWIRE_GRPC_PORT: "x" } }, check))).to.have.length(2);
  });

  it("returns frozen settings", () => {
    expect(readSettings(schema, { env: {} })).to.be.frozen;
  });
});

describe("flagOf", () => {
  it("derives the flag from the variable", () => {
    expect(flagOf(schema.grpcPort)).to.equal("--grpc-port");
  });
});
