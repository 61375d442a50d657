import { retryUntilDone } from "#libs/async/retry.js";
import type { BusConnection } from "#libs/bus/bus-connection.js";
import type { Logger } from "#libs/log/logger.js";
import type { KeyRing } from "#libs/sealing/key-ring.js";
import { adoptDispatches } from "#task-service/dispatch/adopt-dispatches.js";
import type { AttemptConfirmer } from "#task-service/dispatch/attempt-confirmer.js";
import type { DispatchWindow } from "#task-service/dispatch/dispatch-window.js";
import type { Dispatcher } from "#task-service/dispatch/dispatcher.js";
import type { Redispatcher } from "#task-service/dispatch/redispatcher.js";
import type { ReportIngester } from "#task-service/ingest/report-ingester.js";
import type { TaskStore } from "#task-service/store/task-store.js";
import type { UnansweredCancels } from "#task-service/upkeep/unanswered-cancels.js";
import type { WorkerRegistry } from "#task-service/workers/worker-registry.js";

/** What work flows through. */
export interface WorkFlowParts {
  readonly bus: BusConnection;
  readonly store: TaskStore;
  readonly ring: KeyRing;
  readonly logger: Logger;
  readonly window: DispatchWindow;
  readonly dispatcher: Dispatcher;
  readonly redispatcher: Redispatcher;
  readonly ingester: ReportIngester;
  readonly registry: WorkerRegistry;
  readonly confirmer: AttemptConfirmer;
  readonly cancels: UnansweredCancels;
  /** Called at every connect but the first. */
  readonly onReconnected: () => void;
}

const CATCH_UP_TIMEOUT_MS = 30_000;
const RETRY_WAIT_MS = 1000;

/**
 * Connects to NATS, however long that takes, and lets work flow: topology, ingest, workers, and when the reports and the dispatches of before
 * are known, dispatch. Returns when nothing of before is unknown any more, or the signal fires.
 */
export async function letWorkFlow(parts: WorkFlowParts, signal: AbortSignal): Promise<void> {
  const { bus, logger, window, dispatcher, redispatcher, ingester, registry, confirmer, cancels } = parts;
  const untilDone = <T>(job: () => Promise<T>) =>
    retryUntilDone(job, {
      signal,
      waitMs: RETRY_WAIT_MS,
      onError: (error) => {
        logger.error({ err: error }, "work cannot flow yet, trying again");
      },
    });
  // What runs on living workers must not be dispatched again.
  const catchUp = async () => {
    const isCaughtUp = await ingester.catchUp(CATCH_UP_TIMEOUT_MS, signal);
    if (!isCaughtUp) logger.warn("reports of before the start are still being applied");
    return isCaughtUp;
  };
  try {
    await bus.start(signal);
    await untilDone(() => redispatcher.checkTopology());
    bus.onConnectionChange((connected) => {
      if (connected) parts.onReconnected();
    });
    await untilDone(() => ingester.start());
    await untilDone(() => registry.start());
    await untilDone(() => confirmer.start());
    await untilDone(catchUp);
    await untilDone(() => adoptDispatches(parts));
    dispatcher.open();
    // What was acknowledged before it could be adopted has said so in a report.
    while (!(await untilDone(catchUp)));
    dispatcher.trustWindow();
    await untilDone(() => cancels.endUntaken(() => window.ids()));
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
