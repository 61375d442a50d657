/** All NATS names of one installation. The prefix (one subject token) keeps several installations on one NATS apart. */
export class Subjects {
  constructor(readonly prefix: string) {}

  /** Dispatches of a queue. */
  work(queue: string): string {
    return `${this.prefix}.work.${queue}`;
  }

  /** Report batches of all workers. */
  get reports(): string {
    return `${this.prefix}.reports`;
  }

  /** Heartbeats of all workers. */
  get heartbeats(): string {
    return `${this.prefix}.heartbeats`;
  }

  /** Commands to one worker. */
  worker(workerId: string): string {
    return `${this.prefix}.worker.${workerId}`;
  }

  /** A question to all workers: answer with a heartbeat now. */
  get rollCall(): string {
    return `${this.prefix}.roll-call`;
  }

  /** Questions of workers whether an attempt is still to be run. */
  get confirm(): string {
    return `${this.prefix}.confirm`;
  }

  /** The JetStream stream of dispatches. */
  get workStream(): string {
    return `${this.prefix}-work`;
  }

  /** The JetStream stream of reports. */
  get reportStream(): string {
    return `${this.prefix}-reports`;
  }

  /** The durable consumer of a queue's dispatches. */
  workConsumer(queue: string): string {
    return `work-${queue}`;
  }

  /** The durable consumer of reports. */
  get reportConsumer(): string {
    return "ingest";
  }
}
