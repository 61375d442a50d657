import { pino, type Logger as PinoLogger, type LevelWithSilent } from "pino";

/** Structured logger: a constant message plus fields. */
export type Logger = PinoLogger;

/** Least grave level that is written. */
export type LogLevel = LevelWithSilent;

/** The levels, least grave first. */
export const LOG_LEVELS: readonly LogLevel[] = ["trace", "debug", "info", "warn", "error", "fatal", "silent"];

/**
 * Creates the logger of a process: JSON lines on stdout (or `file`), written asynchronously so that a slow reader of the log never
 * stalls an event loop. Lines are flushed when the process exits in order; a SIGKILL may lose the last moments.
 */
export function createLogger(options: { name: string; level: LogLevel; file?: string }): Logger {
  const destination = pino.destination({ dest: options.file ?? 1, sync: false, mkdir: true });
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

/** A logger that writes nothing. */
export function silentLogger(): Logger {
  return pino({ level: "silent" });
}
