import type { RunHistory } from "#test/robustness/history.js";
import type { Mutable } from "#test/robustness/sound-history.js";

/** A way to break a history: which promise must fall, and what its evidence must name. */
export interface Break {
  readonly what: string;
  readonly promise: RegExp;
  readonly evidence: RegExp;
  readonly spoil: (history: Mutable<RunHistory>) => void;
}
