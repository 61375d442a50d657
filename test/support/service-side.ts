import { pino } from "pino";
import { UuidSource } from "#libs/tasks/uuid.js";
import { BusConnection } from "#libs/bus/bus-connection.js";
import { JetStreamPublisher } from "#libs/bus/jetstream-publisher.js";
import { PullConsumer } from "#libs/bus/pull-consumer.js";
import { ensureReportConsumer, ensureStreams } from "#libs/bus/topology.js";
import { silentLogger, type Logger } from "#libs/log/logger.js";
import { DispatchTask } from "#libs/proto/gen/taskwire/bus/v1/dispatch.js";
import { ReportBatch, type Report } from "#libs/proto/gen/taskwire/bus/v1/report.js";
import {
  AttemptConfirmation,
  ConfirmAttempt,
  Heartbeat,
  WorkerCommand,
} from "#libs/proto/gen/taskwire/bus/v1/worker.js";
import type { WorkerProcess } from "#worker/worker.js";
import { until } from "#test/support/until.js";

type Kind = NonNullable<Report["kind"]>;

/** Stands where the task-service stands: dispatches tasks, reads reports and heartbeats, sends commands. */
export class ServiceSide {
  readonly bus: BusConnection;
  readonly publisher: JetStreamPublisher;
  readonly reports: Report[] = [];
  readonly heartbeats: Heartbeat[] = [];
  /** While true it leaves workers that ask about a dispatch without an answer. */
  isMute = false;
  #consumer: PullConsumer | undefined;

  constructor(url: string) {
    this.bus = new BusConnection({ url, prefix: "test", name: "service-side", logger: silentLogger() });
    this.publisher = new JetStreamPublisher(this.bus, { timeoutMs: 2000 });
  }

  async start(): Promise<void> {
    await this.bus.start();
    await this.#ensure();
    this.bus.listen(this.bus.subjects.confirm, (question, respond) => {
      if (this.isMute) return;
      const { taskId, attempt } = ConfirmAttempt.decode(question);
      const isOver = this.reports.some((report) => isEndOf(report, taskId, attempt));
      respond(AttemptConfirmation.encode({ isWanted: !isOver }).finish());
    });
    this.bus.listen(this.bus.subjects.heartbeats, (data) => this.heartbeats.push(Heartbeat.decode(data)));
    const { reportStream, reportConsumer } = this.bus.subjects;
    this.#consumer = new PullConsumer(this.bus, {
      stream: reportStream,
      consumer: reportConsumer,
      onMissing: () => this.#ensure(),
      logger: silentLogger(),
      onDelivery: (delivery) => {
        this.reports.push(...ReportBatch.decode(delivery.data).reports);
        delivery.ack();
        this.#consumer?.request(1);
      },
    });
    this.#consumer.request(100);
  }

  async stop(): Promise<void> {
    this.#consumer?.stop();
    this.publisher.close();
    await this.bus.stop();
  }

  /** Dispatches a task and returns its id. */
  async dispatch(type: string, payload: object, more: Partial<DispatchTask> = {}): Promise<string> {
    const task = dispatchOf(type, payload, more);
    await this.publisher.publish(
      this.bus.subjects.work(task.queue),
      DispatchTask.encode(task).finish(),
      `${task.taskId}:${task.attempt}:${task.round}`,
    );
    return task.taskId;
  }

  command(worker: WorkerProcess, kind: NonNullable<WorkerCommand["kind"]>): void {
    this.bus.announce(this.bus.subjects.worker(worker.workerId), WorkerCommand.encode({ kind }).finish());
  }

  kindsOf(taskId: string): Kind["$case"][] {
    return this.reports.filter((report) => report.taskId === taskId).map((report) => report.kind?.$case ?? "started");
  }

  /** Waits for a report and returns it. */
  async reported<C extends Kind["$case"]>(
    taskId: string,
    kind: C,
    timeoutMs?: number,
  ): Promise<Extract<Kind, { $case: C }>> {
    const isWanted = (said: Report["kind"]): said is Extract<Kind, { $case: C }> => said?.$case === kind;
    return until(
      `${taskId} reports ${kind}`,
      () => this.reports.flatMap((report) => (report.taskId === taskId ? [report.kind] : [])).find(isWanted),
      timeoutMs,
    );
  }

  async #ensure(): Promise<void> {
    await ensureStreams(this.bus);
    await ensureReportConsumer(this.bus);
  }
}

interface LogEntry {
  readonly msg?: string;
  readonly level?: string;
  readonly taskId?: string;
  readonly error?: string;
}

/** A logger that keeps its lines. */
export function collectingLogger(): { readonly logger: Logger; readonly lines: LogEntry[] } {
  const lines: LogEntry[] = [];
  const write = (line: string) => {
    lines.push(JSON.parse(line) as LogEntry);
  };
  return { logger: pino({ formatters: { level: (label) => ({ level: label }) } }, { write }), lines };
}

function isEndOf(report: Report, taskId: string, attempt: number): boolean {
  const said = report.kind?.$case;
  const isEnd = said === "succeeded" || said === "failed" || said === "released" || said === "cancelled";
  return isEnd && report.taskId === taskId && report.attempt === attempt;
}

function dispatchOf(type: string, payload: object, more: Partial<DispatchTask>): DispatchTask {
  return {
    taskId: new UuidSource().next().id,
    type,
    queue: "default",
    attempt: 1,
    round: 0,
    payloadJson: JSON.stringify(payload),
    maxAttempts: 0,
    softTimeoutMs: 0,
    hardTimeoutMs: 0,
    memoryBytes: 0,
    ...more,
  };
}
