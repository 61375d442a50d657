import { BusConnection } from "#libs/bus/bus-connection.js";
import { JetStreamPublisher } from "#libs/bus/jetstream-publisher.js";
import { PullConsumer } from "#libs/bus/pull-consumer.js";
import { ensureStreams, ensureWorkConsumer } from "#libs/bus/topology.js";
import { silentLogger } from "#libs/log/logger.js";
import { DispatchTask } from "#libs/proto/gen/taskwire/bus/v1/dispatch.js";
import { Heartbeat, WorkerCommand, type HeldAttempt } from "#libs/proto/gen/taskwire/bus/v1/worker.js";
import { UuidSource } from "#libs/tasks/uuid.js";
import { reportBatch } from "#test/conformance/task-store/sample-task.js";

const QUEUE = "default";
const HEARTBEAT_MS = 100;

/** A worker that speaks the protocol of NATS by itself, and so says only what a test makes it say. It runs nothing. */
export class ForeignWorker {
  readonly workerId = new UuidSource().next().id;
  /** What it was handed, in the order it came; it acknowledges nothing. */
  readonly dispatches: DispatchTask[] = [];
  readonly commands: WorkerCommand[] = [];
  readonly #bus: BusConnection;
  readonly #publisher: JetStreamPublisher;
  readonly #types: readonly string[];
  #held: readonly HeldAttempt[] = [];
  #pull: PullConsumer | undefined;
  #beating: NodeJS.Timeout | undefined;
  #batches = 0;

  constructor(natsUrl: string, types: readonly string[]) {
    this.#types = types;
    this.#bus = new BusConnection({ url: natsUrl, prefix: "taskwire", name: "foreign", logger: silentLogger() });
    this.#publisher = new JetStreamPublisher(this.#bus);
  }

  /** Begins to send heartbeats and asks for `slots` tasks. */
  async start(slots: number): Promise<void> {
    const { subjects } = this.#bus;
    await this.#bus.start();
    await ensureStreams(this.#bus);
    await ensureWorkConsumer(this.#bus, QUEUE);
    this.#bus.listen(subjects.worker(this.workerId), (data) => this.commands.push(WorkerCommand.decode(data)));
    this.#beating = setInterval(() => {
      this.#beat(slots);
    }, HEARTBEAT_MS);
    this.#pull = new PullConsumer(this.#bus, {
      stream: subjects.workStream,
      consumer: subjects.workConsumer(QUEUE),
      onDelivery: ({ data }) => this.dispatches.push(DispatchTask.decode(data)),
      onMissing: () => Promise.resolve(),
      logger: silentLogger(),
    });
    this.#pull.request(slots);
  }

  /** Names these attempts in every heartbeat from now on. */
  hold(...attempts: readonly HeldAttempt[]): void {
    this.#held = attempts;
  }

  /** Is not heard of any more. */
  fallSilent(): void {
    clearInterval(this.#beating);
    this.#pull?.stop();
  }

  /** Says something about an attempt; resolves when JetStream has it. */
  async report({ taskId, attempt }: HeldAttempt, kinds: Parameters<typeof reportBatch>[1]): Promise<void> {
    this.#batches += 1;
    const batch = reportBatch(taskId, kinds, { attempt, workerId: this.workerId });
    await this.#publisher.publish(this.#bus.subjects.reports, batch, `${this.workerId}:${this.#batches}`);
  }

  async stop(): Promise<void> {
    this.fallSilent();
    this.#publisher.close();
    await this.#bus.stop();
  }

  #beat(slots: number): void {
    const heartbeat = Heartbeat.fromPartial({
      workerId: this.workerId,
      queues: [QUEUE],
      types: [...this.#types],
      slots,
      attempts: [...this.#held],
    });
    this.#bus.announce(this.#bus.subjects.heartbeats, Heartbeat.encode(heartbeat).finish());
  }
}
