import { encryptionProblems, encryptionSettings, readEncryption } from "#libs/config/encryption.js";
import { ConfigError, readSettings, type Schema } from "#libs/config/settings.js";
import { taskServiceSettings } from "#task-service/settings.js";
import { handlerSettingsProblems, workerSettingsSchema } from "#worker/settings.js";
import { clientSettings } from "#cli/client-settings.js";
import { type CheckResult, well, wrong } from "#cli/doctor/check.js";
import { nearestWord } from "#cli/doctor/nearest-word.js";

type Environment = Readonly<Record<string, string | undefined>>;

const SCHEMAS: readonly Schema[] = [taskServiceSettings, workerSettingsSchema, clientSettings];
/** Read in other ways than through a schema. */
const OTHER_VARIABLES = ["TASKWIRE_NATS_SERVER"];
/** A lease should outlive a few heartbeats, as one may be lost or late. */
const HEARTBEATS_PER_LEASE = 3;

/** Looks at every setting of every service in the environment at once. */
export function checkConfiguration(env: Environment): readonly CheckResult[] {
  // Two services may share a variable.
  const problems = new Map(
    SCHEMAS.flatMap((schema) => problemsOf(schema, env)).map((problem) => [
      problem.split(" is not allowed")[0],
      problem,
    ]),
  );
  const results = [...problems.values()].map((problem) =>
    wrong("setting", problem, "correct it, or unset it for the default"),
  );
  const known = [
    ...SCHEMAS.flatMap((schema) => Object.values(schema).map((setting) => setting.env)),
    ...OTHER_VARIABLES,
  ];
  for (const name of Object.keys(env)) {
    if (!name.startsWith("TASKWIRE_") || known.includes(name)) continue;
    const meant = nearestWord(name, known);
    const advice = meant === undefined ? "unset it" : `did you mean ${meant}?`;
    results.push(wrong("setting", `${name} is no setting of Taskwire and has no effect`, advice));
  }
  if (results.length === 0) results.push(well("settings", "all are allowed and known"));
  return [...results, ...(problems.size > 0 ? [] : checksOfAll(env))];
}

/** Checks of settings that are allowed each. */
function checksOfAll(env: Environment): readonly CheckResult[] {
  const problems = handlerSettingsProblems(readSettings(workerSettingsSchema, { env }));
  const found = problems.map((problem) => wrong("worker", problem, "no worker starts until this is mended"));
  return [checkHeartbeats(env), checkEncryption(env), ...found];
}

function problemsOf(schema: Schema, env: Environment): readonly string[] {
  try {
    readSettings(schema, { env });
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

function checkHeartbeats(env: Environment): CheckResult {
  const { leaseMs } = readSettings(taskServiceSettings, { env });
  const { heartbeatMs } = readSettings(workerSettingsSchema, { env });
  const found = `leases of ${leaseMs} ms, heartbeats every ${heartbeatMs} ms`;
  if (heartbeatMs * HEARTBEATS_PER_LEASE <= leaseMs) return well("heartbeats", found);
  const advice = `make TASKWIRE_LEASE_MS at least ${HEARTBEATS_PER_LEASE} times TASKWIRE_HEARTBEAT_MS, or one late heartbeat ends attempts`;
  return wrong("heartbeats", found, advice);
}

function checkEncryption(env: Environment): CheckResult {
  const settings = readSettings(encryptionSettings, { env });
  const [problem] = encryptionProblems(settings);
  if (problem !== undefined) return wrong("encryption", problem, "services do not start without it");
  const { keys, warning } = readEncryption(settings);
  if (keys.current !== null) return well("encryption", `on, and ${keys.old.length} old keys`);
  const isMeant = warning === undefined || settings.encryptionKey === "";
  const found = "off: payloads, results, outputs and log lines are stored and sent unencrypted";
  return isMeant ? well("encryption", found) : wrong("encryption", warning, "correct the key");
}
