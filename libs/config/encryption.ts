import { oneOf, text } from "#libs/config/setting-kinds.js";
import { ConfigError, type Schema, type Settings } from "#libs/config/settings.js";
import { NO_KEYS, type RingKeys } from "#libs/sealing/key-ring.js";

/** When values are sealed. */
export type EncryptionMode = "on" | "off" | "auto";

const MODES: readonly EncryptionMode[] = ["on", "off", "auto"];

/** The settings of encryption, part of every service's settings. Keys are checked by {@link readEncryption}: how strictly depends on the others. */
export const encryptionSettings = {
  encryptionKey: text({
    env: "ENCRYPTION_KEY",
    doc: "The key that payloads, results, outputs and log lines are encrypted with; `openssl rand -hex 32` makes one.",
    default: "",
    allowed: "64 hexadecimal characters",
    secret: true,
  }),
  encryptionOldKeys: text({
    env: "ENCRYPTION_OLD_KEYS",
    doc: "Keys that only decrypt, separated by commas: those of before, and the next one while it is handed out.",
    default: "",
    allowed: "64 hexadecimal characters each",
    secret: true,
  }),
  encryption: oneOf<EncryptionMode>({
    env: "TASKWIRE_ENCRYPTION",
    doc: "Whether to encrypt. `auto`: if there is a key, and in production and staging there must be one. `off`: keys only decrypt.",
    default: "auto",
    values: MODES,
  }),
  environment: text({
    env: "NODE_ENV",
    doc: "Where this runs. `production` and `staging` do not start without a key, anything else warns.",
    default: "development",
    allowed: "a word",
  }),
} satisfies Schema;

/** What {@link readEncryption} goes by. */
export type EncryptionSettings = Settings<typeof encryptionSettings>;

/** The keys, and what somebody should know about them. */
export interface Encryption {
  readonly keys: RingKeys;
  /** For the log; names no key. Undefined: all is well. */
  readonly warning: string | undefined;
}

const STRICT_ENVIRONMENTS: readonly string[] = ["production", "staging"];
const KEY_PATTERN = /^[0-9a-f]{64}$/i;
const HOW_TO_MAKE_ONE = "make one with `openssl rand -hex 32`, or `node -p \"crypto.randomBytes(32).toString('hex')\"`";

/** Everything that is wrong with the settings of encryption and must stop the process; for `readSettings`. */
export function encryptionProblems(settings: EncryptionSettings): readonly string[] {
  return isStrict(settings) ? problemsOf(settings) : [];
}

/**
 * The keys as the settings give them. Throws a {@link ConfigError} where {@link encryptionProblems} has some; elsewhere malformed keys are
 * left out, with a warning.
 */
export function readEncryption(settings: EncryptionSettings): Encryption {
  const problems = problemsOf(settings);
  if (problems.length > 0 && isStrict(settings)) throw new ConfigError(problems);
  const current = toKey(settings.encryptionKey);
  const old = oldKeysOf(settings).flatMap((text) => toKey(text) ?? []);
  const isOff = settings.encryption === "off";
  // What was sealed before it was switched off can still be read.
  if (isOff && current !== null) old.push(current);
  const keys = { current: isOff ? null : current, old };
  if (problems.length === 0) return { keys: isEmpty(keys) ? NO_KEYS : keys, warning: undefined };
  return { keys, warning: `${problems.join("; ")}. ${consequenceOf(keys)}` };
}

/** Whether problems stop the process. */
function isStrict({ encryption, environment }: EncryptionSettings): boolean {
  return encryption === "on" || STRICT_ENVIRONMENTS.includes(environment);
}

function problemsOf(settings: EncryptionSettings): string[] {
  const { encryptionKey, encryption, environment } = settings;
  const problems: string[] = [];
  if (encryptionKey === "" && encryption !== "off") {
    const wanted = encryption === "on" ? "TASKWIRE_ENCRYPTION=on" : `NODE_ENV=${environment}`;
    problems.push(`ENCRYPTION_KEY is missing (${wanted}): ${HOW_TO_MAKE_ONE}, or set TASKWIRE_ENCRYPTION=off`);
  }
  if (encryptionKey !== "" && toKey(encryptionKey) === null) {
    problems.push(`ENCRYPTION_KEY=*** is not allowed: ${flawOf(encryptionKey)}; ${HOW_TO_MAKE_ONE}`);
  }
  for (const [index, text] of oldKeysOf(settings).entries()) {
    if (toKey(text) === null)
      problems.push(`ENCRYPTION_OLD_KEYS=*** is not allowed: of key ${index + 1}: ${flawOf(text)}`);
  }
  return problems;
}

function oldKeysOf({ encryptionOldKeys }: EncryptionSettings): string[] {
  const texts = encryptionOldKeys.split(",").map((text) => text.trim());
  return texts.filter((text) => text !== "");
}

function toKey(text: string): Uint8Array | null {
  return KEY_PATTERN.test(text.trim()) ? Uint8Array.from(Buffer.from(text.trim(), "hex")) : null;
}

/** Says nothing that is in the key. */
function flawOf(text: string): string {
  const { length } = text.trim();
  const isLength = length !== 64;
  return `it must be 64 hexadecimal characters (32 bytes), and ${isLength ? `has ${length} characters` : "has others among them"}`;
}

function isEmpty(keys: RingKeys): boolean {
  return keys.current === null && keys.old.length === 0;
}

function consequenceOf(keys: RingKeys): string {
  return keys.current === null
    ? "Payloads, results, outputs and log lines are stored and sent unencrypted"
    : "The keys that are well-formed are used";
}
