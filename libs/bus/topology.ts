import { AckPolicy, DiscardPolicy, nanos, NatsError, RetentionPolicy, StorageType, type StreamConfig } from "nats";
import type { BusConnection } from "#libs/bus/bus-connection.js";

/** Long enough for a service to restart; NATS remembers every message id for so long. */
const DUPLICATE_WINDOW_MS = 60_000;
/** JetStream gives a dispatch to another worker when the first one neither acknowledged nor returned it for this long. */
const WORK_ACK_WAIT_MS = 30_000;
const REPORT_ACK_WAIT_MS = 30_000;
/** All workers of a queue together: deliveries on their way to being acknowledged. */
const WORK_MAX_ACK_PENDING = 20_000;
const REPORT_MAX_ACK_PENDING = 1000;
const STREAM_EXISTS = 10058;
const CONSUMER_MISSING = 10014;

/**
 * Creates the streams for work and reports where they are missing. Returns when the work stream was created: a new time is a new stream.
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

/** Creates the durable consumer of a queue's dispatches where it is missing. */
export async function ensureWorkConsumer(bus: BusConnection, queue: string): Promise<void> {
  const { subjects } = bus;
  const manager = await bus.nats.jetstreamManager({ checkAPI: false });
  await manager.consumers.add(subjects.workStream, {
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
  const manager = await bus.nats.jetstreamManager({ checkAPI: false });
  try {
    await manager.consumers.delete(subjects.reportStream, subjects.reportConsumer);
  } catch (error) {
    if (!(error instanceof NatsError) || error.jsError()?.err_code !== CONSUMER_MISSING) throw error;
  }
  await ensureReportConsumer(bus);
}

/** Creates the durable consumer of reports where it is missing. */
export async function ensureReportConsumer(bus: BusConnection): Promise<void> {
  const { subjects } = bus;
  const manager = await bus.nats.jetstreamManager({ checkAPI: false });
  await manager.consumers.add(subjects.reportStream, {
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

/** Where the report stream ends, and up to where its consumer has acknowledged everything. */
export async function readReportProgress(
  bus: BusConnection,
): Promise<{ readonly acknowledgedSequence: number; readonly lastSequence: number }> {
  const { subjects } = bus;
  const manager = await bus.nats.jetstreamManager({ checkAPI: false });
  const consumer = await manager.consumers.info(subjects.reportStream, subjects.reportConsumer);
  const stream = await manager.streams.info(subjects.reportStream);
  return { acknowledgedSequence: consumer.ack_floor.stream_seq, lastSequence: stream.state.last_seq };
}

type StreamPlan = Pick<StreamConfig, "name" | "subjects" | "storage">;

async function ensureStream(bus: BusConnection, config: StreamPlan): Promise<string> {
  const manager = await bus.nats.jetstreamManager({ checkAPI: false });
  try {
    const info = await manager.streams.add({
      ...config,
      retention: RetentionPolicy.Workqueue,
      discard: DiscardPolicy.New,
      duplicate_window: nanos(DUPLICATE_WINDOW_MS),
    });
    return info.created;
  } catch (error) {
    // Somebody set it up with other replicas or limits: theirs stand.
    if (error instanceof NatsError && error.jsError()?.err_code === STREAM_EXISTS)
      return (await manager.streams.info(config.name)).created;
    throw error;
  }
}
