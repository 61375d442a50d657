import { expect } from "chai";
import { asEnvironment, readSettings } from "#libs/config/settings.js";
import { begin, inlineIsolate, MIB, processIsolate, threadIsolate } from "#test/fixtures/tasks/fixture-isolates.js";
import { listProcesses } from "#test/support/child-processes.js";
import { handlerSettings, handlerSettingsSchema, setHandlerSettings } from "#worker/handlers/handler-settings.js";
import { handlerEnvironment } from "#worker/isolate/handler-environment.js";
import type { Isolate } from "#worker/isolate/isolate.js";
import { MemoryWatch } from "#worker/isolate/memory-watch.js";
import { workerSettingsSchema } from "#worker/settings.js";

const SECRET = "a-key-for-models";

describe("handlerEnvironment", () => {
  const flags = { "llm-provider": "openai", "llm-model": "a model", "llm-retries": "7" };
  const settings = readSettings(handlerSettingsSchema, {
    flags,
    env: { TASKWIRE_LLM_API_KEY: SECRET, TASKWIRE_LLM_MODEL: "overruled" },
  });
  const given = handlerEnvironment(settings);
  const settingsSeenIn = async (isolate: Isolate) => {
    const outcome = await begin(isolate, "settings").outcome;
    await isolate.close();
    expect(outcome).to.deep.include({ kind: "succeeded" });
    return JSON.parse("resultJson" in outcome ? outcome.resultJson : "") as unknown;
  };

  it("gives handlers in processes what the worker's flags say, and no secret by the command line", async () => {
    const isolate = await processIsolate(256 * MIB, 8000, new MemoryWatch(), given);
    const commands = (await listProcesses()).filter(({ pid, parentPid }) =>
      [pid, parentPid].includes(isolate.pid ?? 0),
    );
    expect(commands).to.have.lengthOf(1);
    expect(JSON.stringify(commands)).not.to.include(SECRET);
    expect(await settingsSeenIn(isolate)).to.deep.equal(settings);
  });

  it("gives them to handlers in threads", async () => {
    expect(await settingsSeenIn(await threadIsolate(64 * MIB, given))).to.deep.equal(settings);
  });

  it("gives them to inline handlers while the worker is there", async () => {
    setHandlerSettings(settings);
    try {
      expect(await settingsSeenIn(await inlineIsolate())).to.deep.equal(settings);
    } finally {
      setHandlerSettings(undefined);
    }
    expect(await settingsSeenIn(await inlineIsolate())).to.have.property("llmProvider", "offline");
  });

  it("shows inline handlers nothing of a worker but their own settings", () => {
    setHandlerSettings(readSettings(workerSettingsSchema, { env: { ENCRYPTION_KEY: "ab".repeat(32) } }));
    try {
      expect(handlerSettings()).to.have.all.keys(Object.keys(handlerSettingsSchema));
    } finally {
      setHandlerSettings(undefined);
    }
  });

  it("withholds the keys that tasks are encrypted with", () => {
    const keys = { ENCRYPTION_KEY: "0".repeat(64), ENCRYPTION_OLD_KEYS: "1".repeat(64) };
    const seen = handlerEnvironment(settings, { ...keys, HOME: "/home/nobody", TASKWIRE_LLM_RETRIES: "1" });
    expect(seen).to.include({ HOME: "/home/nobody", TASKWIRE_LLM_API_KEY: SECRET, TASKWIRE_LLM_RETRIES: "7" });
    expect(seen).not.to.have.any.keys(keys);
  });

  it("gives back every setting of a worker as it was", () => {
    const env = { TASKWIRE_QUEUES: "a,b", TASKWIRE_BUILTIN_TASKS: "false", TASKWIRE_HTTP_PORT: "-1" };
    const all = readSettings(workerSettingsSchema, { env });
    expect(readSettings(workerSettingsSchema, { env: asEnvironment(workerSettingsSchema, all) })).to.deep.equal(all);
  });
});
