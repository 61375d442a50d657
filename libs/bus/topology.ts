import {
  AckPolicy,
  DiscardPolicy,
  nanos,
  NatsError,
  RetentionPolicy,
  StorageType,
  type ConsumerConfig,
  type SeqMsgRequest,
  type StreamConfig,
} from "nats";
import type { BusConnection } from "#libs/bus/bus-connection.js";

/** Long enough for a service to restart; NATS remembers every message id for so long. */
const DUPLICATE_WINDOW_MS = 60_000;
/** JetStream gives a dispatch to another worker when the first one neither acknowledged nor returned it for this long. */
const WORK_ACK_WAIT_MS = 30_000;
const REPORT_ACK_WAIT_MS = 30_000;
/** All workers of a queue together: deliveries on their way to being acknowledged. */
const WORK_MAX_ACK_PENDING = 20_000;
/** Those that lie back for want of their key count too, and must not keep others from being delivered. */
const REPORT_MAX_ACK_PENDING = 100_000;
const STREAM_EXISTS = 10058;
const CONSUMER_MISSING = 10014;
const MESSAGE_MISSING = 10037;
/** Pull requests that a consumer keeps open for all clients together, unless somebody gave it another figure. */
const USUAL_MAX_WAITING = 512;
/** What a consumer must not have. */
const CONSUMER_EXTRAS = [
  "deliver_subject",
  "headers_only",
  "max_batch",
  "max_bytes",
  "max_expires",
  "rate_limit_bps",
] as const;

/**
 * Creates the streams for work and reports where they are missing, and repairs them where they were altered. Returns when the work
 * stream was created: a new time is a new stream.
 *
 * Work is kept in NATS' memory: the database can dispatch everything anew, and does when the stream is another one than before.
 * Reports are kept on its disk: until they are applied, they are all there is of a finished attempt.
 */
export async function ensureStreams(bus: BusConnection): Promise<string> {
  const { subjects } = bus;
  const { reportStream, reports, workStream } = subjects;
  await ensureStream(bus, { name: reportStream, subjects: [reports], storage: StorageType.File });
  return ensureStream(bus, { name: workStream, subjects: [subjects.work("*")], storage: StorageType.Memory });
}

/** Creates the durable consumer of a queue's dispatches where it is missing or was altered. */
export async function ensureWorkConsumer(bus: BusConnection, queue: string): Promise<void> {
  const { subjects } = bus;
  await ensureConsumer(bus, subjects.workStream, {
    durable_name: subjects.workConsumer(queue),
    filter_subject: subjects.work(queue),
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(WORK_ACK_WAIT_MS),
    max_ack_pending: WORK_MAX_ACK_PENDING,
    max_deliver: -1,
  });
}

/**
 * Makes the durable consumer of reports anew. What a reader that is gone was handed and never acknowledged comes again at once, not
 * after the ack wait; what was acknowledged is not in the stream any more. Only for the one reader there is.
 */
export async function renewReportConsumer(bus: BusConnection): Promise<void> {
  const { subjects } = bus;
  await removeConsumer(bus, subjects.reportStream, subjects.reportConsumer);
  await ensureReportConsumer(bus);
}

/** Creates the durable consumer of reports where it is missing or was altered. */
export async function ensureReportConsumer(bus: BusConnection): Promise<void> {
  const { subjects } = bus;
  await ensureConsumer(bus, subjects.reportStream, {
    durable_name: subjects.reportConsumer,
    filter_subject: subjects.reports,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(REPORT_ACK_WAIT_MS),
    max_ack_pending: REPORT_MAX_ACK_PENDING,
    max_deliver: -1,
  });
}

/**
 * Takes a dispatch out of its stream again. Returns true only if it is certain that no worker was ever handed it.
 */
export async function withdrawDispatch(bus: BusConnection, queue: string, streamSequence: number): Promise<boolean> {
  const { subjects } = bus;
  const manager = await bus.nats.jetstreamManager({ checkAPI: false });
  const isUntouched = async () => {
    const info = await manager.consumers.info(subjects.workStream, subjects.workConsumer(queue));
    return info.delivered.stream_seq < streamSequence;
  };
  if (!(await isUntouched())) return false;
  const deleted = await manager.streams.deleteMessage(subjects.workStream, streamSequence, false).catch(() => false);
  return deleted && (await isUntouched());
}

/**
 * Takes a dispatch out of its stream whoever was handed it, so that it is not handed out again: its attempt is over, or it is dispatched
 * anew. Does nothing where it is gone already.
 */
export async function deleteDispatch(bus: BusConnection, streamSequence: number): Promise<void> {
  const manager = await bus.nats.jetstreamManager({ checkAPI: false });
  await manager.streams.deleteMessage(bus.subjects.workStream, streamSequence, false).catch(() => false);
}

/** A dispatch that nobody has acknowledged. */
export interface UnacknowledgedDispatch {
  readonly streamSequence: number;
  readonly data: Uint8Array;
}

/** Reads every dispatch that is in the work stream: those that wait there, and those that were handed out and not acknowledged. */
export async function* readDispatches(bus: BusConnection): AsyncGenerator<UnacknowledgedDispatch> {
  const { subjects } = bus;
  const manager = await bus.nats.jetstreamManager({ checkAPI: false });
  for (let next = 1; ; next += 1) {
    // The first one from there on: those that were acknowledged have left gaps.
    const query: SeqMsgRequest & { next_by_subj: string } = { seq: next, next_by_subj: subjects.work("*") };
    const { seq, data } = await manager.streams.getMessage(subjects.workStream, query).catch((error: unknown) => {
      if (errorCode(error) === MESSAGE_MISSING) return { seq: 0, data: new Uint8Array() };
      throw error;
    });
    if (seq === 0) return;
    yield { streamSequence: seq, data };
    next = seq;
  }
}

/** How far the workers of a queue are in the work stream: the last message handed out, and the last one there is. */
export async function readWorkProgress(
  bus: BusConnection,
  queue: string,
): Promise<{ readonly deliveredSequence: number; readonly lastSequence: number }> {
  const { subjects } = bus;
  const manager = await bus.nats.jetstreamManager({ checkAPI: false });
  const consumer = await manager.consumers.info(subjects.workStream, subjects.workConsumer(queue));
  const stream = await manager.streams.info(subjects.workStream);
  return { deliveredSequence: consumer.delivered.stream_seq, lastSequence: stream.state.last_seq };
}

/** Where the report stream ends, up to where its consumer has acknowledged everything, and what is left. */
export async function readReportProgress(bus: BusConnection): Promise<{
  readonly acknowledgedSequence: number;
  readonly lastSequence: number;
  /** Messages that were not handed out yet, and those that were and are not acknowledged. */
  readonly waiting: number;
  readonly unacknowledged: number;
}> {
  const { subjects } = bus;
  const manager = await bus.nats.jetstreamManager({ checkAPI: false });
  const consumer = await manager.consumers.info(subjects.reportStream, subjects.reportConsumer);
  const stream = await manager.streams.info(subjects.reportStream);
  return {
    acknowledgedSequence: consumer.ack_floor.stream_seq,
    lastSequence: stream.state.last_seq,
    waiting: consumer.num_pending,
    unacknowledged: consumer.num_ack_pending,
  };
}

type StreamPlan = Pick<StreamConfig, "name" | "subjects" | "storage">;

/** What a stream must be like, lest messages be refused, forgotten or doubled. */
const MUST_HOLD = {
  discard: DiscardPolicy.New,
  duplicate_window: nanos(DUPLICATE_WINDOW_MS),
  max_age: 0,
  max_msgs_per_subject: -1,
} as const;

async function ensureStream(bus: BusConnection, config: StreamPlan): Promise<string> {
  const manager = await bus.nats.jetstreamManager({ checkAPI: false });
  try {
    const info = await manager.streams.add({
      ...config,
      retention: RetentionPolicy.Workqueue,
      ...MUST_HOLD,
    });
    return info.created;
  } catch (error) {
    if (errorCode(error) !== STREAM_EXISTS) throw error;
    return repairStream(bus, config);
  }
}

/** Somebody set it up with other replicas, storage or sizes: theirs stand. */
async function repairStream(bus: BusConnection, { name, subjects }: StreamPlan): Promise<string> {
  const manager = await bus.nats.jetstreamManager({ checkAPI: false });
  const { config, created } = await manager.streams.info(name);
  const isSound =
    subjects.every((subject) => config.subjects.includes(subject)) &&
    config.discard === MUST_HOLD.discard &&
    config.duplicate_window === MUST_HOLD.duplicate_window &&
    config.max_age === MUST_HOLD.max_age &&
    config.max_msgs_per_subject === MUST_HOLD.max_msgs_per_subject;
  if (!isSound) await manager.streams.update(name, { ...config, ...MUST_HOLD, subjects: [...subjects] });
  return created;
}

type ConsumerPlan = Partial<ConsumerConfig> & { readonly durable_name: string };

/** An altered one is made anew: nats-server cannot change everything, and after a change of the subject it skips messages. */
async function ensureConsumer(bus: BusConnection, stream: string, plan: ConsumerPlan): Promise<void> {
  const manager = await bus.nats.jetstreamManager({ checkAPI: false });
  try {
    const { config } = await manager.consumers.info(stream, plan.durable_name);
    const isSound =
      Object.entries(plan).every(([key, value]) => Reflect.get(config, key) === value) &&
      (config.max_waiting ?? USUAL_MAX_WAITING) >= USUAL_MAX_WAITING &&
      CONSUMER_EXTRAS.every((key) => !config[key]);
    if (isSound) return;
    await removeConsumer(bus, stream, plan.durable_name);
  } catch (error) {
    if (errorCode(error) !== CONSUMER_MISSING) throw error;
  }
  await manager.consumers.add(stream, plan);
}

async function removeConsumer(bus: BusConnection, stream: string, name: string): Promise<void> {
  const manager = await bus.nats.jetstreamManager({ checkAPI: false });
  try {
    await manager.consumers.delete(stream, name);
  } catch (error) {
    if (errorCode(error) !== CONSUMER_MISSING) throw error;
  }
}

function errorCode(error: unknown): number | undefined {
  return error instanceof NatsError ? error.jsError()?.err_code : undefined;
}
