import { connect, DiscardPolicy, NatsError, RetentionPolicy, type JetStreamManager, type NatsConnection } from "nats";
import { Subjects } from "#libs/bus/subjects.js";

/** Where to look, and for what. */
export interface BusFactsOptions {
  /** One or more `nats://host:port`, separated by commas. */
  readonly url: string;
  readonly prefix: string;
  /** Queues whose consumers should be there. */
  readonly queues: readonly string[];
  /** For the connection and for each question; milliseconds. */
  readonly timeoutMs: number;
}

/** What a NATS server is like. */
export interface BusFacts {
  readonly version: string;
  readonly roundTripMs: number;
  readonly maxPayloadBytes: number;
  /** Undefined: JetStream is off. */
  readonly jetStream: JetStreamFacts | undefined;
}

/** What JetStream holds. */
export interface JetStreamFacts {
  readonly storage: Space;
  readonly memory: Space;
  /** Streams and consumers that are not there. */
  readonly missing: readonly string[];
  /** In which ways streams and consumers are not what Taskwire would make. */
  readonly differences: readonly string[];
  /** Report batches that wait to be applied. */
  readonly waitingReports: number;
}

/** How much is used, of how much; undefined: the account has no limit. */
export interface Space {
  readonly usedBytes: number;
  readonly limitBytes: number | undefined;
}

const NOT_FOUND = 404;

/** Looks at a NATS server once. Rejects with what NATS says when it cannot be reached. */
export async function readBusFacts(options: BusFactsOptions): Promise<BusFacts> {
  const { url, timeoutMs } = options;
  const nats = await connect({
    servers: url.split(","),
    name: "taskwire doctor",
    timeout: timeoutMs,
    reconnect: false,
    maxReconnectAttempts: 0,
    noAsyncTraces: true,
  });
  try {
    const roundTripMs = await nats.rtt();
    const version = nats.info?.version ?? "unknown";
    const maxPayloadBytes = nats.info?.max_payload ?? 0;
    const jetStream = nats.info?.jetstream === true ? await readJetStream(nats, options) : undefined;
    return { version, roundTripMs, maxPayloadBytes, jetStream };
  } finally {
    await nats.close();
  }
}

async function readJetStream(
  nats: NatsConnection,
  { prefix, queues, timeoutMs }: BusFactsOptions,
): Promise<JetStreamFacts> {
  const manager = await nats.jetstreamManager({ checkAPI: false, timeout: timeoutMs });
  const account = await manager.getAccountInfo();
  const subjects = new Subjects(prefix);
  const { reportStream, reports, workStream, reportConsumer } = subjects;
  const found = new Inspection(manager);
  await found.stream(workStream, subjects.work("*"));
  const waitingReports = await found.stream(reportStream, reports);
  await found.consumer(reportStream, reportConsumer, reports);
  for (const queue of queues) await found.consumer(workStream, subjects.workConsumer(queue), subjects.work(queue));
  return {
    storage: spaceOf(account.storage, account.limits.max_storage),
    memory: spaceOf(account.memory, account.limits.max_memory),
    missing: found.missing,
    differences: found.differences,
    waitingReports,
  };
}

/** Looks at streams and consumers one by one. */
class Inspection {
  readonly missing: string[] = [];
  readonly differences: string[] = [];
  readonly #manager: JetStreamManager;

  constructor(manager: JetStreamManager) {
    this.#manager = manager;
  }

  /** Returns how many messages the stream holds. */
  async stream(name: string, subject: string): Promise<number> {
    const info = await unlessMissing(this.#manager.streams.info(name));
    if (info === undefined) {
      this.missing.push(`stream ${name}`);
      return 0;
    }
    const { config, state } = info;
    const expect = (isSound: boolean, what: string) => {
      if (!isSound) this.differences.push(`stream ${name}: ${what}`);
    };
    expect(config.subjects.includes(subject), `subject ${subject} is not among its subjects`);
    expect(config.retention === RetentionPolicy.Workqueue, `retention is ${config.retention}, not workqueue`);
    expect(config.discard === DiscardPolicy.New, `discard is ${config.discard}, not new`);
    expect(config.max_age === 0, "messages expire (max_age)");
    expect(config.max_msgs_per_subject === -1, "it holds too few messages of a subject (max_msgs_per_subject)");
    return state.messages;
  }

  async consumer(stream: string, name: string, subject: string): Promise<void> {
    const info = await unlessMissing(this.#manager.consumers.info(stream, name));
    if (info === undefined) {
      this.missing.push(`consumer ${name} of ${stream}`);
      return;
    }
    const { config } = info;
    const expect = (isSound: boolean, what: string) => {
      if (!isSound) this.differences.push(`consumer ${name} of ${stream}: ${what}`);
    };
    expect(config.filter_subject === subject, `filter is ${String(config.filter_subject)}, not ${subject}`);
    expect(String(config.ack_policy) === "explicit", `acknowledgement is ${config.ack_policy}, not explicit`);
    expect((config.max_deliver ?? -1) <= 0, "it gives up after some deliveries (max_deliver)");
    expect(!config.deliver_subject, "it pushes (deliver_subject)");
  }
}

function spaceOf(usedBytes: number, limit: number): Space {
  return { usedBytes, limitBytes: limit < 0 ? undefined : limit };
}

async function unlessMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof NatsError && error.jsError()?.code === NOT_FOUND) return undefined;
    throw error;
  }
}
