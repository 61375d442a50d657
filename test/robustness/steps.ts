/** A task as the schedule wants it. */
export interface TaskSpec {
  readonly type: string;
  /** For the handler; JSON. */
  readonly payload: Readonly<Record<string, unknown>>;
  readonly priority?: number;
  readonly maxAttempts?: number;
  readonly softTimeoutMs?: number;
  readonly hardTimeoutMs?: number;
  readonly memoryBytes?: number;
  readonly initialDelayMs?: number;
  readonly maximumDelayMs?: number;
  readonly totalTimeoutMs?: number;
  /** How far ahead `run_time` is; unset: due at once. */
  readonly runInMs?: number;
}

/** Through which client a step goes: bare calls, tried once, or `TaskwireClient`, which tries again by itself. */
export type Via = "raw" | "client";

/** Where one leg of a watch begins: a snapshot, the first event, the last one seen, or a share of those seen. */
export type CursorChoice = "snapshot" | "start" | "last" | number;

/** One stream of a watcher. */
export interface Leg {
  readonly cursor: CursorChoice;
  /** Left after so long, if it has not ended. */
  readonly forMs: number;
  /** Reads nothing for so long after its first frame. */
  readonly stallMs: number;
}

/**
 * What clients do. `op` numbers the tasks that a run may create, from 1; a `pick` in [0, 1) chooses among the tasks accepted so far (for a
 * retry: among those seen FAILED or CANCELLED; for a cancel: mostly among those not seen to end), 0 being the latest.
 */
export type Operation =
  | {
      readonly kind: "create";
      readonly via: Via;
      readonly op: number;
      readonly spec: TaskSpec;
      readonly named: boolean;
    }
  | { readonly kind: "repeat"; readonly op: number; readonly spec: TaskSpec }
  | { readonly kind: "batch"; readonly ops: readonly number[]; readonly specs: readonly TaskSpec[] }
  | { readonly kind: "cancel"; readonly via: Via; readonly pick: number; readonly among: "unfinished" | "all" }
  | { readonly kind: "retry"; readonly pick: number; readonly fenced: boolean }
  | { readonly kind: "get"; readonly pick: number }
  | { readonly kind: "watch"; readonly via: Via; readonly pick: number; readonly legs: readonly Leg[] };

/** What goes wrong. `target` is a process: `task-service`, `nats-server`, `worker-1`, …; `link` a proxy: `clients`, `task-service`, `worker-1`, … */
export type Fault =
  | { readonly kind: "kill"; readonly target: string; readonly forMs: number }
  | { readonly kind: "stop"; readonly target: string; readonly forMs: number }
  | { readonly kind: "drain"; readonly target: string }
  | { readonly kind: "wipe"; readonly target: "nats-server"; readonly forMs: number }
  | { readonly kind: "cut"; readonly link: string }
  | { readonly kind: "refuse"; readonly link: string; readonly forMs: number }
  | { readonly kind: "swallow"; readonly link: string; readonly forMs: number }
  | { readonly kind: "slow"; readonly link: string; readonly forMs: number; readonly delayMs: number }
  | { readonly kind: "clock"; readonly target: string; readonly offsetMs: number }
  | { readonly kind: "slow-fsync"; readonly target: "task-service"; readonly forMs: number; readonly delayMs: number }
  | { readonly kind: "disk-full"; readonly target: "task-service"; readonly forMs: number };

/** Something that is done at a time. */
export interface Step<A = Operation | Fault> {
  /** Milliseconds after the start of the run. */
  readonly atMs: number;
  readonly action: A;
}

/** What a step is about, for people. */
export function stepText({ atMs, action }: Step): string {
  return `${(atMs / 1000).toFixed(1).padStart(6)} s  ${actionText(action)}`;
}

function actionText(action: Operation | Fault): string {
  switch (action.kind) {
    case "create":
    case "repeat":
      return `${action.kind} ${action.spec.type} as op ${action.op}`;
    case "batch":
      return `batch of ${action.ops.length} as ops ${action.ops[0]}–${action.ops.at(-1)}`;
    case "clock":
      return `clock of ${action.target} ${action.offsetMs >= 0 ? "+" : "−"}${Math.abs(action.offsetMs / 3_600_000).toFixed(2)} h`;
    case "slow":
    case "slow-fsync":
      return `${action.kind} ${nameOf(action)} by ${action.delayMs} ms for ${action.forMs} ms`;
    default:
      return [action.kind, nameOf(action), "forMs" in action ? `for ${action.forMs} ms` : ""].join(" ").trim();
  }
}

function nameOf(action: Operation | Fault): string {
  if ("target" in action) return action.target;
  return "link" in action ? `link ${action.link}` : "";
}
