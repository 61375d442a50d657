import { parentPort, workerData } from "node:worker_threads";
import { BusConnection } from "#libs/bus/bus-connection.js";
import { createLogger } from "#libs/log/logger.js";
import { Heartbeat } from "#libs/proto/gen/taskwire/bus/v1/worker.js";
import { heartbeatSetup, heartbeatState, type HeartbeatState } from "#worker/heartbeat/heartbeat-state.js";

/**
 * Sends the heartbeats of a worker from a thread and a NATS connection of its own, so that no handler can stop them, not even an
 * inline one that spins. When the main thread has been silent for longer than any of its attempts may run, the attempts are no longer
 * named and their leases expire.
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
    const isStuck = performance.now() - heardAt > silenceLimitMs;
    bus.announce(
      bus.subjects.heartbeats,
      Heartbeat.encode({ ...identity, ...said, attempts: isStuck ? [] : said.attempts }).finish(),
    );
  };
  const leave = async () => {
    beat();
    await bus.stop();
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
