import type { JetStreamManager } from "nats";
import { BusConnection } from "#libs/bus/bus-connection.js";
import { silentLogger } from "#libs/log/logger.js";
import type { TestStack } from "#test/support/test-stack.js";

const QUEUE = "default";

/** Looks at, and tampers with, the streams of a test stack from outside, as an operator with the `nats` tool does. */
export class StackStreams {
  readonly #bus: BusConnection;

  constructor({ stack }: TestStack) {
    this.#bus = new BusConnection({ url: stack.natsUrl, prefix: "taskwire", name: "operator", logger: silentLogger() });
  }

  get names(): { readonly work: string; readonly reports: string; readonly consumer: string; readonly ingest: string } {
    const { workStream: work, reportStream: reports, reportConsumer: ingest } = this.#bus.subjects;
    return { work, reports, consumer: this.#bus.subjects.workConsumer(QUEUE), ingest };
  }

  start(): Promise<void> {
    return this.#bus.start();
  }

  stop(): Promise<void> {
    return this.#bus.stop();
  }

  manager(): Promise<JetStreamManager> {
    return this.#bus.nats.jetstreamManager({ checkAPI: false });
  }

  /** Dispatches in the work stream, handed out or not. */
  async dispatches(): Promise<number> {
    const manager = await this.manager();
    return (await manager.streams.info(this.names.work)).state.messages;
  }

  /** Batches of reports that the service has not acknowledged. */
  async reports(): Promise<number> {
    const manager = await this.manager();
    return (await manager.streams.info(this.names.reports)).state.messages;
  }

  /** Dispatches that a worker was handed and has neither started nor given back. */
  async inHands(): Promise<number> {
    const manager = await this.manager();
    return (await manager.consumers.info(this.names.work, this.names.consumer)).num_ack_pending;
  }

  /** Places for dispatches that workers have asked for and not got yet. */
  async openPulls(): Promise<number> {
    const manager = await this.manager();
    return (await manager.consumers.info(this.names.work, this.names.consumer)).num_waiting;
  }
}
