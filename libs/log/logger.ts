import { pino, type Logger as PinoLogger, type LevelWithSilent } from "pino";

/** Structured logger: a constant message plus fields. */
export type Logger = PinoLogger;

/** Least grave level that is written. */
export type LogLevel = LevelWithSilent;

/** The levels, least grave first. */
export const LOG_LEVELS: readonly LogLevel[] = ["trace", "debug", "info", "warn", "error", "fatal", "silent"];

const FLUSH_WAIT_MS = 1000;

/**
 * Creates the logger of a process: JSON lines on stdout (or `file`), written asynchronously so that a slow reader of the log never
 * stalls an event loop. Await {@link flushLog} before the process exits; a SIGKILL may lose the last moments.
 */
export function createLogger(options: { name: string; level: LogLevel; file?: string }): Logger {
  const destination = pino.destination({
    dest: options.file ?? 1,
    sync: false,
    mkdir: true,
    // Every line is longer, so nothing waits; but with 0, flushing would not wait for what is being written.
    minLength: 1,
  });
  return pino(
    {
      name: options.name,
      level: options.level,
      formatters: { level: (label) => ({ level: label }) },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    destination,
  );
}

/**
 * Resolves when all lines so far are written, in their order, or after a second when nobody reads them. To exit without it writes what
 * waits at once, while the lines before that may still be under way.
 */
export function flushLog(logger: Logger): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, FLUSH_WAIT_MS);
    logger.flush(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** A logger that writes nothing. */
export function silentLogger(): Logger {
  return pino({ level: "silent" });
}
