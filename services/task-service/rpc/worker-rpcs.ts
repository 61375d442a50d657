import { TaskwireError } from "#libs/errors/taskwire-error.js";
import type { BusConnection } from "#libs/bus/bus-connection.js";
import { natsUnavailable } from "#libs/bus/bus-connection.js";
import { PingAnswer, WorkerCommand } from "#libs/proto/gen/taskwire/bus/v1/worker.js";
import type { PingRequest, PingResponse, Worker } from "#libs/proto/gen/taskwire/v1/worker_service.js";
import { durationMs } from "#task-service/rpc/validate-task.js";
import { Violations } from "#task-service/rpc/violations.js";
import type { LivingWorker, WorkerRegistry } from "#task-service/workers/worker-registry.js";

const DEFAULT_TIMEOUT_MS = 5000;
const MAX_TIMEOUT_MS = 60_000;

/** A living worker as clients see it. */
export function presentWorker({ heartbeat, lastSeenMs }: LivingWorker): Worker {
  return {
    id: heartbeat.workerId,
    hostname: heartbeat.hostname,
    pid: heartbeat.pid,
    version: heartbeat.version,
    queues: heartbeat.queues,
    types: heartbeat.types,
    slots: heartbeat.slots,
    running: heartbeat.running,
    startTime: new Date(heartbeat.startTimeMs),
    lastSeenTime: new Date(lastSeenMs),
    draining: heartbeat.draining,
    lastSentTime: heartbeat.timeMs === 0 ? undefined : new Date(heartbeat.timeMs),
  };
}

/** Ping: to a worker through NATS and back. */
export async function ping(bus: BusConnection, registry: WorkerRegistry, request: PingRequest): Promise<PingResponse> {
  const violations = new Violations();
  const timeoutMs = request.timeout === undefined ? DEFAULT_TIMEOUT_MS : durationMs(request.timeout);
  violations.expect(timeoutMs >= 1 && timeoutMs <= MAX_TIMEOUT_MS, "timeout", "must be in [1 ms, 60 s]");
  violations.throwIfAny();
  if (!bus.connected) throw natsUnavailable();
  const workerId = chooseWorker(registry, request.workerId);
  const command = WorkerCommand.encode({ kind: { $case: "ping", value: {} } }).finish();
  const startedAt = process.hrtime.bigint();
  const answer = PingAnswer.decode(await bus.request(bus.subjects.worker(workerId), command, timeoutMs));
  const nanos = Number(process.hrtime.bigint() - startedAt);
  return { workerId: answer.workerId, roundTrip: { seconds: Math.floor(nanos / 1e9), nanos: nanos % 1e9 } };
}

function chooseWorker(registry: WorkerRegistry, wanted: string): string {
  if (wanted !== "" && registry.isAlive(wanted)) return wanted;
  if (wanted !== "") {
    throw new TaskwireError({
      code: "NOT_FOUND",
      reason: "WORKER_NOT_FOUND",
      message: `no living worker has the id ${wanted}; ListWorkers names those there are`,
      metadata: { workerId: wanted },
    });
  }
  const living = registry.living();
  const chosen = living[Math.floor(Math.random() * living.length)];
  if (chosen !== undefined) return chosen.heartbeat.workerId;
  throw new TaskwireError({
    code: "UNAVAILABLE",
    reason: "NO_WORKERS",
    message: "no worker is connected; start one with `taskwire work`",
    retryAfterMs: 1000,
  });
}
