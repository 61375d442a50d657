import { errorMessage } from "#libs/errors/error-message.js";
import { TaskwireError } from "#libs/errors/taskwire-error.js";
import {
  HealthCheckRequest,
  HealthCheckResponse,
  HealthCheckResponse_ServingStatus as ServingStatus,
  HealthService,
} from "#libs/proto/gen/grpc/health/v1/health.js";
import {
  ListWorkersRequest,
  ListWorkersResponse,
  PingRequest,
  PingResponse,
  WorkerServiceService,
  type Worker,
} from "#libs/proto/gen/taskwire/v1/worker_service.js";
import { Channel } from "#libs/rpc/channel.js";
import { type CheckResult, unknown, well, wrong } from "#cli/doctor/check.js";

const check = { path: HealthService.check.path, request: HealthCheckRequest, response: HealthCheckResponse };
const list = {
  path: WorkerServiceService.listWorkers.path,
  request: ListWorkersRequest,
  response: ListWorkersResponse,
};
const ping = { path: WorkerServiceService.ping.path, request: PingRequest, response: PingResponse };

const PING_GRACE_MS = 1000;
/** Clocks that differ by more make times in tasks and logs hard to compare, and delayed tasks early or late. */
const MAX_CLOCK_DIFFERENCE_MS = 2000;
const HEALTH = {
  "taskwire.v1.TaskService": "see the checks of the database; the service's log says why it takes no writes",
  "taskwire.v1.WorkerService": "see the checks of NATS; work flows again by itself when the service reaches it",
};

/** What the service says of itself, its clock and its workers. */
export interface ServiceCheck {
  readonly results: readonly CheckResult[];
  /** The queues of living workers; undefined: nobody said. */
  readonly queues: readonly string[] | undefined;
}

/** Asks the service; `timeoutMs` is for each question. */
export async function checkService(address: string, timeoutMs: number): Promise<ServiceCheck> {
  const channel = new Channel({ address });
  try {
    await channel.waitForReady(timeoutMs);
  } catch (error) {
    channel.close();
    const advice = "start it (`taskwire serve`), or say where it is with --address or TASKWIRE_ADDRESS";
    const results = [
      wrong("task-service", errorMessage(error), advice),
      unknown("clock", "the task-service cannot be reached"),
      unknown("workers", "the task-service cannot be reached"),
    ];
    return { results, queues: undefined };
  }
  try {
    const results = [well("task-service", `${address} answers`)];
    for (const [service, advice] of Object.entries(HEALTH)) {
      const { status } = await channel.unary(check, { service }, { timeoutMs });
      const isServing = status === ServingStatus.SERVING;
      results.push(isServing ? well(service, "serves") : wrong(service, "does not serve", advice));
    }
    const askedMs = Date.now();
    const { workers, time } = await channel.unary(list, {}, { timeoutMs });
    results.push(checkServiceClock(time, askedMs, Date.now()));
    if (workers.length === 0)
      results.push(wrong("workers", "none is alive: tasks wait", "start one (`taskwire work`)"));
    const pings = workers.map((worker) => checkWorker(channel, worker, timeoutMs));
    results.push(...(await Promise.all(pings)).flat());
    return { results, queues: [...new Set(workers.flatMap(({ queues }) => queues))] };
  } finally {
    channel.close();
  }
}

/** The service read its clock between our two readings, so the difference is known to within the time the call took. */
function checkServiceClock(time: Date | undefined, askedMs: number, answeredMs: number): CheckResult {
  if (time === undefined) return unknown("clock", "this version of the task-service does not tell its time");
  const differenceMs = time.getTime() - (askedMs + answeredMs) / 2;
  return clockResult("clock", "the task-service's", differenceMs, (answeredMs - askedMs) / 2);
}

async function checkWorker(channel: Channel, worker: Worker, timeoutMs: number): Promise<CheckResult[]> {
  const name = `worker ${worker.id}`;
  const where = `${worker.hostname}:${worker.pid}`;
  const results = [await pingWorker(channel, worker, name, where, timeoutMs)];
  const { lastSentTime: sent, lastSeenTime: seen } = worker;
  if (sent !== undefined && seen !== undefined)
    results.push(
      clockResult(
        `clock of ${name}`,
        `${where}'s, compared with the task-service's`,
        sent.getTime() - seen.getTime(),
        0,
      ),
    );
  return results;
}

async function pingWorker(
  channel: Channel,
  worker: Worker,
  name: string,
  where: string,
  timeoutMs: number,
): Promise<CheckResult> {
  const timeout = { seconds: Math.floor(timeoutMs / 1000), nanos: (timeoutMs % 1000) * 1e6 };
  try {
    const request = { workerId: worker.id, timeout };
    const { roundTrip } = await channel.unary(ping, request, { timeoutMs: timeoutMs + PING_GRACE_MS });
    const roundTripMs = (roundTrip?.seconds ?? 0) * 1000 + (roundTrip?.nanos ?? 0) / 1e6;
    return well(
      name,
      `${where} answers in ${roundTripMs.toFixed(1)} ms, ${worker.running} of ${worker.slots} slots busy`,
    );
  } catch (error) {
    if (error instanceof TaskwireError && error.reason === "NATS_UNAVAILABLE")
      return unknown(name, "the task-service is not connected to NATS");
    const advice =
      "look whether its process is stopped, swapped out or spinning in an inline handler, and whether it reaches NATS; restart it if it does not recover";
    return wrong(name, `${where} does not answer: ${errorMessage(error)}`, advice);
  }
}

function clockResult(name: string, whose: string, differenceMs: number, uncertaintyMs: number): CheckResult {
  const isFar = Math.abs(differenceMs) - uncertaintyMs > MAX_CLOCK_DIFFERENCE_MS;
  const found = `${whose} is ${Math.abs(Math.round(differenceMs))} ms ${differenceMs < 0 ? "behind" : "ahead"}`;
  return isFar ? wrong(name, found, "let both machines keep time with NTP") : well(name, found);
}
