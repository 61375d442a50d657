import { expect } from "chai";
import { checkConfiguration } from "#cli/doctor/configuration-check.js";

describe("What the doctor says about settings", () => {
  const wrongOf = (env: Record<string, string>) =>
    checkConfiguration(env)
      .filter(({ status }) => status === "wrong")
      .map(({ found, advice }) => `${found} → ${advice}`);

  it("is nothing, where there are none", () => {
    expect(wrongOf({ PATH: "/bin", HOME: "/" })).to.deep.equal([]);
  });

  it("names all that are not allowed, of every service, each once", () => {
    const wrong = wrongOf({ TASKWIRE_GRPC_PORT: "x", TASKWIRE_SLOTS: "-1", TASKWIRE_NATS_URL: "http://x" });
    expect(wrong).to.have.lengthOf(3);
    expect(wrong.join("\n"))
      .to.include("TASKWIRE_GRPC_PORT")
      .and.include("TASKWIRE_SLOTS")
      .and.include("TASKWIRE_NATS_URL");
  });

  it("names variables that are none of Taskwire's, and what was meant", () => {
    expect(wrongOf({ TASKWIRE_DATABSE: "x" })[0]).to.include("did you mean TASKWIRE_DATABASE?");
    expect(wrongOf({ TASKWIRE_NATS_SERVER: "/bin/nats-server" })).to.deep.equal([]);
  });

  it("names a file of commands that is missing, as workers do not start without it", () => {
    expect(wrongOf({ TASKWIRE_COMMANDS_FILE: "/none.json" })[0]).to.match(
      /^TASKWIRE_COMMANDS_FILE=\/none\.json: ENOENT/,
    );
  });

  it("compares the lease with the heartbeats it lives from", () => {
    expect(wrongOf({ TASKWIRE_LEASE_MS: "6000", TASKWIRE_HEARTBEAT_MS: "2000" })).to.deep.equal([]);
    expect(wrongOf({ TASKWIRE_LEASE_MS: "5999", TASKWIRE_HEARTBEAT_MS: "2000" })[0]).to.include("TASKWIRE_LEASE_MS");
  });

  it("says what a model provider lacks", () => {
    const lacks = wrongOf({ TASKWIRE_LLM_PROVIDER: "openai", TASKWIRE_LLM_BASE_URL: "http://127.0.0.1:1/v1" });
    expect(lacks).to.have.lengthOf(1);
    expect(lacks[0]).to.include("TASKWIRE_LLM_MODEL is missing");
  });

  it("asks for a key where one is needed, and shows none", () => {
    expect(wrongOf({ NODE_ENV: "production" }).join())
      .to.include("ENCRYPTION_KEY")
      .and.include("openssl rand -hex 32");
    const key = "ab".repeat(31);
    expect(wrongOf({ ENCRYPTION_KEY: key }).join())
      .to.include("64")
      .and.not.include(key);
    expect(wrongOf({ NODE_ENV: "staging", ENCRYPTION_KEY: "ab".repeat(32) })).to.deep.equal([]);
  });
});
