/** How far a handler says it is, within bounds. */
export interface ProgressClaim {
  readonly fraction?: number | undefined;
  readonly current?: number | undefined;
  readonly total?: number | undefined;
  readonly message: string;
}

/** One line a handler logged, within bounds. */
export interface LogClaim {
  /** 1 debug, 2 info, 3 warn, 4 error. */
  readonly level: number;
  readonly message: string;
  readonly fieldsJson: string;
  /** The last line that is kept. */
  readonly capped: boolean;
}

/** One piece of output, within bounds. */
export interface OutputClaim {
  readonly name: string;
  readonly text: string;
  /** Bytes of this stream before this piece. */
  readonly offset: number;
  /** The last piece that is kept. */
  readonly capped: boolean;
}

/** Bounds of what one attempt may say. */
export interface SpeechLimits {
  /** Shortest time between two progress reports, milliseconds. */
  readonly progressIntervalMs: number;
  /** Log lines and their bytes kept of one attempt. */
  readonly logLines: number;
  readonly logBytes: number;
  /** Output bytes kept of one attempt. */
  readonly outputBytes: number;
}

/** What holds where nobody says otherwise. */
export const DEFAULT_SPEECH_LIMITS: SpeechLimits = {
  progressIntervalMs: 100,
  logLines: 1000,
  logBytes: 256 * 1024,
  outputBytes: 1024 * 1024,
};
