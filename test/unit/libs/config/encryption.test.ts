import { expect } from "chai";
import { encryptionProblems, encryptionSettings, readEncryption } from "#libs/config/encryption.js";
import { wholeNumber } from "#libs/config/setting-kinds.js";
import { ConfigError, printable, readSettings } from "#libs/config/settings.js";
import { KeyRing } from "#libs/sealing/key-ring.js";

const KEY = "c0ffee".repeat(10) + "beef";
const OLD_KEY = "0123456789ABCDEF".repeat(4);
const CANARY = "CANARYCANARY";

type Env = Readonly<Record<string, string | undefined>>;
const settingsOf = (env: Env) => readSettings(encryptionSettings, { env });
const problemsOf = (env: Env) => encryptionProblems(settingsOf(env));
const keysOf = (env: Env) => readEncryption(settingsOf(env)).keys;
const hex = (key: Uint8Array | null | undefined) => (key ? Buffer.from(key).toString("hex") : null);

describe("The settings of encryption", () => {
  it("give the keys", () => {
    const keys = keysOf({ ENCRYPTION_KEY: KEY, ENCRYPTION_OLD_KEYS: `${OLD_KEY}, ${KEY}` });
    expect(hex(keys.current)).to.equal(KEY);
    expect(keys.old.map(hex)).to.deep.equal([OLD_KEY.toLowerCase(), KEY]);
    expect(readEncryption(settingsOf({ ENCRYPTION_KEY: KEY })).warning).to.equal(undefined);
  });

  for (const environment of ["production", "staging"]) {
    it(`stop the process in ${environment} when the key is missing, and say how to make one`, () => {
      const [problem, ...more] = problemsOf({ NODE_ENV: environment });
      expect(problem).to.contain("ENCRYPTION_KEY is missing").and.to.contain(environment);
      expect(problem).to.contain("openssl rand -hex 32").and.to.contain("TASKWIRE_ENCRYPTION=off");
      expect(more).to.deep.equal([]);
      expect(() => keysOf({ NODE_ENV: environment })).to.throw(ConfigError);
    });

    it(`stop the process in ${environment} when a key is malformed, without showing it, all problems at once`, () => {
      const env = { NODE_ENV: environment, ENCRYPTION_KEY: CANARY, ENCRYPTION_OLD_KEYS: `${KEY},${CANARY},${KEY}0` };
      const problems = problemsOf(env);
      expect(problems).to.have.length(3);
      expect(problems.join()).not.to.contain(CANARY).and.not.to.contain(KEY.slice(0, 12));
      expect(problems[0]).to.contain("64 hexadecimal characters").and.to.contain("has 12 characters");
      expect(problems[1]).to.contain("key 2");
      expect(problems[2]).to.contain("key 3").and.to.contain("65");
    });

    it(`let the process start in ${environment} without a key when encryption is off`, () => {
      expect(problemsOf({ NODE_ENV: environment, TASKWIRE_ENCRYPTION: "off" })).to.deep.equal([]);
    });
  }

  it("only warn elsewhere, and leave malformed keys out", () => {
    for (const NODE_ENV of [undefined, "development", "test"]) {
      expect(problemsOf({ NODE_ENV })).to.deep.equal([]);
      const missing = readEncryption(settingsOf({ NODE_ENV }));
      expect(missing.keys.current).to.equal(null);
      expect(missing.warning).to.contain("ENCRYPTION_KEY is missing").and.to.contain("unencrypted");
      const malformed = readEncryption(settingsOf({ NODE_ENV, ENCRYPTION_KEY: CANARY, ENCRYPTION_OLD_KEYS: OLD_KEY }));
      expect(malformed.keys.current).to.equal(null);
      expect(malformed.keys.old).to.have.length(1);
      expect(malformed.warning).to.contain("not allowed").and.to.contain("unencrypted").and.not.to.contain(CANARY);
    }
  });

  it("stop the process everywhere when encryption is asked for and there is no good key", () => {
    for (const ENCRYPTION_KEY of [undefined, CANARY, KEY.slice(1), `${KEY.slice(1)}g`])
      expect(problemsOf({ TASKWIRE_ENCRYPTION: "on", ENCRYPTION_KEY }), ENCRYPTION_KEY).to.have.length(1);
    expect(problemsOf({ TASKWIRE_ENCRYPTION: "on", ENCRYPTION_KEY: KEY })).to.deep.equal([]);
  });

  it("keep the keys for what is sealed already when encryption is off", () => {
    const sealed = new KeyRing(keysOf({ ENCRYPTION_KEY: KEY })).sealText("{}", "payload:1");
    const { keys, warning } = readEncryption(settingsOf({ ENCRYPTION_KEY: KEY, TASKWIRE_ENCRYPTION: "off" }));
    const ring = new KeyRing(keys);
    expect(ring.sealText("{}", "payload:1")).to.equal("{}");
    expect(ring.openText(sealed, "payload:1")).to.equal("{}");
    expect(warning).to.equal(undefined);
    expect(readEncryption(settingsOf({ TASKWIRE_ENCRYPTION: "off" })).warning).to.equal(undefined);
  });

  it("are printed as ***", () => {
    const settings = settingsOf({ ENCRYPTION_KEY: KEY, ENCRYPTION_OLD_KEYS: OLD_KEY });
    const shown = printable(encryptionSettings, settings);
    expect(shown).to.include({ encryptionKey: "***", encryptionOldKeys: "***" });
    expect(JSON.stringify(shown)).not.to.contain(KEY);
  });

  it("name their problems together with those of all other settings", () => {
    const schema = {
      ...encryptionSettings,
      port: wholeNumber({ env: "TASKWIRE_PORT", doc: "A port.", default: 1, min: 0, max: 9 }),
    };
    const env = { TASKWIRE_PORT: "x", NODE_ENV: "production", ENCRYPTION_KEY: CANARY };
    expect(() => readSettings(schema, { env }, encryptionProblems))
      .to.throw(ConfigError)
      .with.property("problems")
      .that.has.length(2);
  });
});
