import { errorMessage } from "#libs/errors/error-message.js";
import { CONFIG_EXIT_CODE, ConfigError } from "#libs/config/settings.js";
import { flushLog, type Logger } from "#libs/log/logger.js";
import type { Service } from "#libs/service/service.js";
import { tellParent, type ReadyMessage } from "#cli/stack/process-message.js";

/** A process that runs one service until it is told to stop. */
export interface ProcessPlan<S extends Service> {
  /** For messages, for example `taskwire serve`. */
  readonly name: string;
  /** Reads the configuration and puts the service together. A {@link ConfigError} ends the process with code 78. */
  readonly create: () => { readonly service: S; readonly logger: Logger };
  /** What the parent is told when the service is ready. */
  readonly ready: (service: S) => Omit<ReadyMessage, "kind">;
  /** Makes a stop that is under way as short as it can be; called at a second signal. Default: the process ends at once. */
  readonly hurry?: (service: S) => Promise<void>;
}

/** How long a process whose parent died may take to stop in order, in milliseconds. */
const ORPHAN_GRACE_MS = 5000;
const SIGNAL_EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
/** `EX_SOFTWARE` of sysexits.h. */
const CRASH_EXIT_CODE = 70;

/**
 * Starts the service and stops it in order at SIGINT, SIGTERM or SIGHUP, or when the parent process dies; ends the process with code 0 then.
 * A second signal hurries it, a third one ends it at once. Other codes: 1 when it cannot start or stop, 70 after an unexpected error, 78 for a configuration that is wrong.
 */
export async function runProcess<S extends Service>(plan: ProcessPlan<S>): Promise<never> {
  let parts: { readonly service: S; readonly logger: Logger };
  try {
    parts = plan.create();
  } catch (error) {
    return fail(plan.name, error);
  }
  const { service, logger } = parts;
  const told = whenTold(logger, plan.hurry === undefined ? undefined : () => plan.hurry?.(service));
  const started = service.start();
  try {
    // Told to stop while starting, for example while NATS is still waited for: go on to the stop.
    const isReady = await Promise.race([started.then(() => true), told.then(() => false)]);
    if (isReady) await tellParent({ kind: "ready", ...plan.ready(service) });
    else started.catch(() => undefined);
  } catch (error) {
    logger.fatal({ err: error }, "could not start");
    await flushLog(logger);
    return fail(plan.name, error);
  }
  const exitCode = await told;
  try {
    await service.stop();
  } catch (error) {
    logger.error({ err: error }, "could not stop in order");
    await flushLog(logger);
    process.exit(1);
  }
  logger.info("stopped");
  await flushLog(logger);
  process.exit(exitCode);
}

/** Resolves with the exit code when the process is told to stop. */
function whenTold(logger: Logger, hurry: (() => unknown) | undefined): Promise<number> {
  return new Promise((resolve) => {
    let signals = 0;
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(signal, () => {
        signals += 1;
        if (signals > 2 || (signals === 2 && hurry === undefined)) process.exit(SIGNAL_EXIT_CODES[signal]);
        logger.info({ signal, hurry: signals > 1 }, "stopping");
        resolve(0);
        if (signals > 1) hurry?.();
      });
    }
    if (process.channel !== undefined) {
      process.once("disconnect", () => {
        logger.warn("the parent process is gone, stopping");
        setTimeout(() => process.exit(1), ORPHAN_GRACE_MS).unref();
        resolve(0);
        hurry?.();
      });
    }
    const crash = (error: unknown) => {
      logger.fatal({ err: error }, "unexpected error, stopping");
      setTimeout(() => process.exit(CRASH_EXIT_CODE), ORPHAN_GRACE_MS).unref();
      resolve(CRASH_EXIT_CODE);
    };
    process.on("uncaughtException", crash);
    process.on("unhandledRejection", crash);
  });
}

async function fail(name: string, error: unknown): Promise<never> {
  const problems = error instanceof ConfigError ? [...error.problems] : undefined;
  const message = error instanceof ConfigError ? error.message : errorMessage(error);
  process.stderr.write(`${name}: ${message}\n`);
  await tellParent({ kind: "failed", message, problems });
  process.exit(problems === undefined ? 1 : CONFIG_EXIT_CODE);
}
