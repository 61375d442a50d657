import type { SpeechLimits } from "#libs/attempts/speech-claims.js";

/** One attempt to run. */
export interface RunOrder {
  readonly type: string;
  readonly taskId: string;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly payloadJson: string;
  /** The hard limit, milliseconds since 1970. */
  readonly deadlineMs: number;
  readonly speech: SpeechLimits;
}
