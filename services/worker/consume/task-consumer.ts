import { FRESH_DISPATCH_MS, type Delivery } from "#libs/bus/bus.js";
import type { BusConnection } from "#libs/bus/bus-connection.js";
import { PullConsumer } from "#libs/bus/pull-consumer.js";
import { ensureStreams, ensureWorkConsumer } from "#libs/bus/topology.js";
import type { Logger } from "#libs/log/logger.js";
import { DispatchTask } from "#libs/proto/gen/taskwire/bus/v1/dispatch.js";
import { DISPATCH_CONTEXT } from "#libs/sealing/contexts.js";
import type { KeyRing } from "#libs/sealing/key-ring.js";
import { missingKeyOf } from "#libs/sealing/sealing-errors.js";
import { AttemptConfirmation, ConfirmAttempt } from "#libs/proto/gen/taskwire/bus/v1/worker.js";
import type { EarlyCancels } from "#worker/consume/early-cancels.js";
import type { RecentAttempts } from "#worker/consume/recent-attempts.js";
import { slotShares } from "#worker/consume/slot-shares.js";
import { attemptKey, type AttemptRunner } from "#worker/execute/attempt-runner.js";
import type { ReportGatherer } from "#worker/report/report-gatherer.js";

/** What a consumer needs. */
export interface TaskConsumerOptions {
  readonly bus: BusConnection;
  readonly queues: readonly string[];
  /** Attempts at once. */
  readonly slots: number;
  readonly runner: AttemptRunner;
  readonly gatherer: ReportGatherer;
  readonly recent: RecentAttempts;
  readonly earlyCancels: EarlyCancels;
  /** Opens dispatches. */
  readonly ring: KeyRing;
  readonly logger: Logger;
}

interface QueuePull {
  readonly pull: PullConsumer;
  /** Deliveries since the last but one request. */
  isLively: boolean;
}

const CONFIRM_TIMEOUT_MS = 2000;
const UNCONFIRMED_WAIT_MS = 1000;
/** Short, because tasks that are handed to a worker which is frozen or cut off are lost time: its last pull ends long before its lease. */
const PULL_EXPIRES_MS = 3000;
const UNKNOWN_TYPE_WAIT_MS = 100;
const NO_SLOT_WAIT_MS = 100;
/** Another worker may have the key. */
const KEY_MISSING_WAIT_MS = 1000;
const WARNING_EVERY_MS = 60_000;

/** Takes dispatches from NATS, never more than there are free slots, and hands them to the runner. */
export class TaskConsumer {
  readonly #options: TaskConsumerOptions;
  #queues: QueuePull[] = [];
  #isRefillDue = false;
  #stopped = false;
  #confirming = 0;
  #nextTypeWarningMs = 0;
  #nextKeyErrorMs = 0;

  constructor(options: TaskConsumerOptions) {
    this.#options = options;
  }

  /** Begins to pull. */
  start(): void {
    const { bus, logger } = this.#options;
    this.#queues = this.#options.queues.map((queue) => {
      const pull = new PullConsumer(bus, {
        stream: bus.subjects.workStream,
        consumer: bus.subjects.workConsumer(queue),
        expiresMs: PULL_EXPIRES_MS,
        onDelivery: (delivery) => {
          state.isLively = true;
          this.#onDelivery(delivery);
        },
        onMissing: async () => {
          await ensureStreams(bus);
          await ensureWorkConsumer(bus, queue);
        },
        logger,
      });
      const state = { pull, isLively: false };
      return state;
    });
    this.refill();
  }

  /** Asks for as many tasks as there are free slots, once per turn of the event loop however often it is called. */
  refill(): void {
    if (this.#isRefillDue || this.#stopped) return;
    this.#isRefillDue = true;
    setImmediate(() => {
      this.#isRefillDue = false;
      this.#request();
    });
  }

  /** Asks for nothing any more; what still arrives goes back. */
  stop(): void {
    this.#stopped = true;
    for (const { pull } of this.#queues) pull.stop();
  }

  #request(): void {
    const { gatherer, slots } = this.#options;
    if (this.#stopped || gatherer.isCrowded) return;
    const shares = slotShares(
      slots - this.#taken,
      this.#queues.map(({ pull, isLively }) => ({ outstanding: pull.outstanding, isLively })),
    );
    for (const [index, queue] of this.#queues.entries()) {
      const share = shares[index] ?? 0;
      if (share <= 0) continue;
      queue.isLively = false;
      queue.pull.request(share);
    }
  }

  #onDelivery(delivery: Delivery): void {
    const { runner, slots, ring } = this.#options;
    let dispatch: DispatchTask;
    try {
      dispatch = DispatchTask.decode(ring.open(delivery.data, DISPATCH_CONTEXT));
    } catch (error) {
      this.#onUnreadable(delivery, error);
      this.refill();
      return;
    }
    const key = attemptKey(dispatch.taskId, dispatch.attempt);
    const isHere = this.#isHere(key, dispatch.round);
    if (!runner.knows(dispatch.type)) {
      this.#warnOfType(dispatch);
      delivery.giveBack(UNKNOWN_TYPE_WAIT_MS);
    } else if (this.#stopped) {
      delivery.giveBack();
    } else if (!isHere && this.#taken >= slots) {
      delivery.giveBack(NO_SLOT_WAIT_MS);
    } else if (!isHere && isDoubtful(dispatch, delivery)) {
      void this.#confirm(dispatch, delivery);
      return;
    } else if (this.#start(dispatch, delivery)) {
      return;
    }
    this.refill();
  }

  /** Runs a dispatch; false: it is here already. */
  #start(dispatch: DispatchTask, delivery: Delivery): boolean {
    const { runner, recent, earlyCancels } = this.#options;
    const key = attemptKey(dispatch.taskId, dispatch.attempt);
    if (this.#isHere(key, dispatch.round)) {
      recent.join(key, delivery);
      return false;
    }
    recent.add(key, dispatch.round, delivery);
    const onStored = () => {
      recent.markStored(key);
    };
    const isSuspect = dispatch.round > 0 || delivery.deliveries > 1;
    runner.start(dispatch, onStored, { cancelReason: earlyCancels.take(key), isSuspect });
    return true;
  }

  /** Whether an attempt runs here or has run, and the service will hear of it. */
  #isHere(key: string, round: number): boolean {
    const { runner, recent } = this.#options;
    return recent.has(key) && (runner.has(key) || !recent.isForgotten(key, round));
  }

  /** Asks the service whether the attempt is still to be run: it may be over, or its task cancelled, since it was dispatched. */
  async #confirm(dispatch: DispatchTask, delivery: Delivery): Promise<void> {
    const { bus, logger } = this.#options;
    const { taskId, attempt } = dispatch;
    this.#confirming += 1;
    try {
      const question = ConfirmAttempt.encode({ taskId, attempt }).finish();
      const answer = await bus.request(bus.subjects.confirm, question, CONFIRM_TIMEOUT_MS);
      if (!AttemptConfirmation.decode(answer).isWanted) {
        logger.info({ taskId, attempt }, "an old dispatch is not wanted any more");
        delivery.ack();
      } else if (this.#stopped) delivery.giveBack();
      else this.#start(dispatch, delivery);
    } catch (error) {
      logger.debug({ err: error, taskId, attempt }, "an old dispatch could not be confirmed, it goes back");
      delivery.giveBack(UNCONFIRMED_WAIT_MS);
    } finally {
      this.#confirming -= 1;
      this.refill();
    }
  }

  /** Slots that are taken. */
  get #taken(): number {
    return this.#options.runner.running + this.#confirming;
  }

  /** Without its key a dispatch is for a worker that has it; what is broken, nobody can read. */
  #onUnreadable(delivery: Delivery, error: unknown): void {
    const keyId = missingKeyOf(error);
    if (keyId === undefined) {
      this.#options.logger.error({ err: error }, "dispatch cannot be read");
      delivery.ack();
      return;
    }
    delivery.giveBack(KEY_MISSING_WAIT_MS);
    const now = performance.now();
    if (now < this.#nextKeyErrorMs) return;
    this.#nextKeyErrorMs = now + WARNING_EVERY_MS;
    this.#options.logger.error({ keyId }, "encryption key is missing, dispatches go back");
  }

  /** At most once a minute: such a task comes back again and again. */
  #warnOfType({ taskId, type }: DispatchTask): void {
    const now = performance.now();
    if (now < this.#nextTypeWarningMs) return;
    this.#nextTypeWarningMs = now + WARNING_EVERY_MS;
    this.#options.logger.warn({ taskId, type }, "no handler for this type, task goes back");
  }
}

function isDoubtful({ round }: DispatchTask, { deliveries, ageMs }: Delivery): boolean {
  return round > 0 || deliveries > 1 || ageMs > FRESH_DISPATCH_MS;
}
