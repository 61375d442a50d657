import type { BusConnection } from "#libs/bus/bus-connection.js";
import type { Logger } from "#libs/log/logger.js";
import { PingAnswer, WorkerCommand } from "#libs/proto/gen/taskwire/bus/v1/worker.js";
import type { EarlyCancels } from "#worker/consume/early-cancels.js";
import type { RecentAttempts } from "#worker/consume/recent-attempts.js";
import { attemptKey, type AttemptRunner } from "#worker/execute/attempt-runner.js";

/** What a listener needs. */
export interface CommandListenerOptions {
  readonly bus: BusConnection;
  readonly workerId: string;
  readonly runner: AttemptRunner;
  readonly recent: RecentAttempts;
  readonly earlyCancels: EarlyCancels;
  readonly logger: Logger;
}

/** Hears what the service tells this worker: cancel, abandon, ping. Hearing something twice is as good as once. */
export class CommandListener {
  readonly #options: CommandListenerOptions;
  #stop: (() => void) | undefined;

  constructor(options: CommandListenerOptions) {
    this.#options = options;
  }

  start(): void {
    const { bus, workerId, logger } = this.#options;
    this.#stop = bus.listen(bus.subjects.worker(workerId), (data, respond) => {
      try {
        this.#obey(WorkerCommand.decode(data), respond);
      } catch (error) {
        logger.error({ err: error }, "command cannot be obeyed");
      }
    });
  }

  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  #obey(command: WorkerCommand, respond: (answer: Uint8Array) => void): void {
    const { runner, recent, earlyCancels, workerId } = this.#options;
    switch (command.kind?.$case) {
      case "cancel": {
        const { taskId, attempt, reason } = command.kind.value;
        const key = attemptKey(taskId, attempt);
        if (!runner.cancel(key, reason) && !recent.has(key)) earlyCancels.remember(key, reason);
        break;
      }
      case "abandon":
        runner.abandon(attemptKey(command.kind.value.taskId, command.kind.value.attempt));
        break;
      case "ping":
        respond(PingAnswer.encode({ workerId }).finish());
        break;
      case undefined:
        break;
    }
  }
}
