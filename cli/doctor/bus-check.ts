import { readBusFacts, type BusFacts, type JetStreamFacts, type Space } from "#libs/bus/bus-facts.js";
import { errorMessage } from "#libs/errors/error-message.js";
import { MAX_BUS_BODY_BYTES } from "#libs/tasks/limits.js";
import { bytesText, type CheckResult, unknown, well, wrong } from "#cli/doctor/check.js";

/** JetStream refuses reports when its storage is used up; this share is left for a bad hour. */
const MIN_FREE_SHARE = 0.1;

/** Looks at NATS: whether it is there, and whether it is what Taskwire needs. `address` is shown without credentials. */
export async function checkBus(
  options: {
    readonly url: string;
    readonly prefix: string;
    readonly queues: readonly string[];
    readonly timeoutMs: number;
  },
  address: string,
): Promise<readonly CheckResult[]> {
  let facts: BusFacts;
  try {
    facts = await readBusFacts(options);
  } catch (error) {
    const advice = "start nats-server with JetStream there (`nats-server --jetstream`), or correct TASKWIRE_NATS_URL";
    return [
      wrong("NATS", `${address} cannot be reached: ${errorMessage(error)}`, advice),
      unknown("JetStream", "NATS cannot be reached"),
    ];
  }
  const { version, roundTripMs, maxPayloadBytes, jetStream } = facts;
  return [
    well("NATS", `${address} answers in ${roundTripMs} ms, version ${version}`),
    maxPayloadBytes >= MAX_BUS_BODY_BYTES
      ? well("NATS max_payload", bytesText(maxPayloadBytes))
      : wrong(
          "NATS max_payload",
          bytesText(maxPayloadBytes),
          `set max_payload of nats-server to ${bytesText(MAX_BUS_BODY_BYTES)} or more`,
        ),
    ...(jetStream === undefined
      ? [wrong("JetStream", "is off", "start nats-server with --jetstream and a --store_dir")]
      : checkJetStream(jetStream)),
  ];
}

function checkJetStream({ storage, memory, missing, differences, waitingReports }: JetStreamFacts): CheckResult[] {
  const results = [checkSpace("storage", storage), checkSpace("memory", memory)];
  for (const what of missing)
    results.push(
      wrong("JetStream", `${what} is not there`, "start the task-service and the workers of the queue, which make it"),
    );
  for (const what of differences)
    results.push(
      wrong(
        "JetStream",
        what,
        "delete it (`nats stream rm`, `nats consumer rm`): the services make it anew, nothing is lost",
      ),
    );
  if (missing.length + differences.length === 0)
    results.push(
      well("JetStream", `streams and consumers are as they should be, ${waitingReports} report batches wait`),
    );
  return results;
}

function checkSpace(kind: "storage" | "memory", { usedBytes, limitBytes }: Space): CheckResult {
  const name = `JetStream ${kind}`;
  if (limitBytes === undefined) return well(name, `${bytesText(usedBytes)} used, no limit of the account`);
  const found = `${bytesText(usedBytes)} of ${bytesText(limitBytes)} used`;
  const isScarce = limitBytes - usedBytes < limitBytes * MIN_FREE_SHARE;
  return isScarce ? wrong(name, found, `raise the limit of JetStream's ${kind}`) : well(name, found);
}
