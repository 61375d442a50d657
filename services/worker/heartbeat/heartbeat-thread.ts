import { parentPort, workerData } from "node:worker_threads";
import { BusConnection } from "#libs/bus/bus-connection.js";
import { createLogger, flushLog } from "#libs/log/logger.js";
import { Heartbeat } from "#libs/proto/gen/taskwire/bus/v1/worker.js";
import { heartbeatSetup, heartbeatState, type HeartbeatState } from "#worker/heartbeat/heartbeat-state.js";

/** The main thread tells four times a second what to say; silence of this length means that a handler blocks it. */
const RENEW_ALL_AFTER_MS = 1000;

/**
 * Sends the heartbeats of a worker from a thread and a NATS connection of its own, so that no handler can stop them, not even an
 * inline one that spins. While the main thread is silent it cannot name the attempts it began last, so all of the worker's leases are
 * renewed. When it has been silent for longer than any of its attempts may run, nothing is renewed any more and the leases expire.
 */
async function main(port: NonNullable<typeof parentPort>): Promise<void> {
  const { natsUrl, prefix, logLevel, intervalMs, ...identity } = heartbeatSetup.parse(workerData);
  const logger = createLogger({ name: "taskwire-worker", level: logLevel }).child({
    workerId: identity.workerId,
    thread: "heartbeat",
  });
  const bus = new BusConnection({ url: natsUrl, prefix, name: `taskwire-heartbeat-${identity.workerId}`, logger });
  let state: HeartbeatState | undefined;
  let heardAt = performance.now();
  let isConnected = false;

  const beat = () => {
    if (state === undefined || !isConnected) return;
    const { silenceLimitMs, ...said } = state;
    const silentMs = performance.now() - heardAt;
    const isGivenUp = silentMs > silenceLimitMs;
    const heartbeat = {
      ...identity,
      ...said,
      attempts: isGivenUp ? [] : said.attempts,
      renewAll: silentMs > RENEW_ALL_AFTER_MS && !isGivenUp,
      timeMs: Date.now(),
    };
    bus.announce(bus.subjects.heartbeats, Heartbeat.encode(heartbeat).finish());
  };
  const leave = async () => {
    beat();
    await bus.stop();
    await flushLog(logger);
    process.exit(0);
  };

  port.on("message", (message: unknown) => {
    const told = heartbeatState.parse(message);
    heardAt = performance.now();
    const isNews = state === undefined || told.slots !== state.slots || told.draining !== state.draining;
    state = told;
    if (told.leaving) void leave();
    else if (isNews) beat();
  });
  bus.onConnectionChange((connected) => {
    isConnected = connected;
    if (connected) beat();
  });
  await bus.start();
  bus.listen(bus.subjects.rollCall, beat);
  setInterval(beat, intervalMs);
  beat();
}

if (parentPort !== null) await main(parentPort);
