import type { DatabaseTrouble } from "#task-service/store/database-trouble.js";
import type { Commit } from "#task-service/store/commit.js";
import type { ThreadRefusal } from "#task-service/store/thread-refusal.js";
import type { NewTask, TaskRecord } from "#task-service/store/task-record.js";

/** What the writer can be asked to do. Each is applied whole or not at all; several travel in one transaction. */
export type WriteCommand =
  /** `mustExist`: only tasks that these requests have made before are meant. */
  | { readonly kind: "create"; readonly tasks: readonly NewTask[]; readonly mustExist?: true }
  /** Encoded `taskwire.bus.v1.ReportBatch`es, in the order JetStream has them. */
  | {
      readonly kind: "applyReports";
      readonly batches: readonly Uint8Array[];
      /** It is what the writer itself made of a larger command. */
      readonly isPart?: true;
    }
  | { readonly kind: "requestCancel"; readonly id: string; readonly reason: string; readonly withWorker: WithWorker }
  /** Opens a finished task again; `sequence`, if not null, must be its latest. */
  | { readonly kind: "reopen"; readonly id: string; readonly sequence: number | null }
  /** `poisonLosses`: a task that lost so many workers in a row, the last one while nothing ran beside it, ends FAILED. */
  | { readonly kind: "expireLeases"; readonly leases: readonly Lease[]; readonly poisonLosses: number }
  /** Ends tasks that wait for an attempt beyond their deadline, if `attempt` is still their latest one. */
  | { readonly kind: "expireDeadlines"; readonly tasks: readonly UnstartedTask[] }
  /** Ends PENDING tasks whose cancel was asked for, if `attempt` is still their latest one. */
  | { readonly kind: "endCancels"; readonly tasks: readonly UnstartedTask[] }
  /** Ends PENDING tasks whose cancel was asked for before `beforeMs`, but for those whose ids are in `spared`. */
  | {
      readonly kind: "endOldCancels";
      readonly beforeMs: number;
      readonly limit: number;
      readonly spared: readonly string[];
      /** It is certain that no worker was handed the next attempt of any of them. */
      readonly areUntaken: boolean;
      readonly keys?: ChosenKeys;
    }
  | { readonly kind: "makeDue"; readonly limit: number; readonly keys?: ChosenKeys }
  | { readonly kind: "deleteFinished"; readonly beforeMs: number; readonly limit: number; readonly keys?: ChosenKeys }
  | { readonly kind: "probe" };

/** The tasks that the writer has chosen already, where it takes a command apart. */
type ChosenKeys = readonly number[];

/** The attempt of a task that a worker may have been handed; null: none; "any": nobody knows. */
export type WithWorker = number | "any" | null;

/** A task whose next attempt has not started as far as is known. */
export interface UnstartedTask {
  readonly id: string;
  /** Its latest attempt, before the one that has not started. */
  readonly attempt: number;
  /** It is certain that no worker was handed it. */
  readonly isUntaken: boolean;
}

/** A worker's right to an attempt. */
export interface Lease {
  readonly id: string;
  readonly attempt: number;
  readonly workerId: string;
  /** Its worker held other attempts as well: nobody knows which of them the worker was lost by. Default false. */
  readonly isShared?: boolean;
}

/** A report that was refused because its worker does not hold the attempt. */
export interface StaleClaim {
  readonly taskId: string;
  readonly attempt: number;
  readonly workerId: string;
}

/** What the writer answers, by command. */
export interface WriteResults {
  /** `existing[i]`: request i was made before and this is its task; null: it was created with the next free key. */
  create:
    | { readonly kind: "created"; readonly existing: readonly (TaskRecord | null)[]; readonly firstKey: number }
    | { readonly kind: "requestIdReused"; readonly index: number }
    | { readonly kind: "queueFull"; readonly queue: string }
    /** One of them that must exist does not. */
    | { readonly kind: "missing" };
  applyReports: {
    readonly stale: readonly StaleClaim[];
    readonly undecodable: number;
    /** Batches that were not applied for want of the key they are sealed with: index of the batch and id of the key. */
    readonly locked: readonly (readonly [index: number, keyId: string])[];
    /** Tasks whose reports were left out because they are on a damaged page of the database. */
    readonly damaged: number;
  };
  requestCancel: {
    readonly verdict: "accepted" | "repeated" | "finished" | "notFound";
    readonly task: TaskRecord | null;
  };
  reopen: {
    readonly verdict: "reopened" | "notFinished" | "completed" | "changed" | "queueFull" | "notFound";
    readonly task: TaskRecord | null;
  };
  expireLeases: { readonly expired: number };
  expireDeadlines: { readonly expired: number };
  endCancels: { readonly count: number };
  endOldCancels: { readonly count: number };
  /** How many became due, and when the next one will (null: none waits). */
  makeDue: { readonly count: number; readonly nextRunTimeMs: number | null };
  deleteFinished: { readonly count: number };
  probe: Record<string, never>;
}

/** The answer to one command. */
export type ResultOf<C extends WriteCommand> = WriteResults[C["kind"]];

/** Commands of one transaction, as they travel to the writer's thread. */
export interface WriteGroup {
  readonly commands: readonly WriteCommand[];
  readonly nowMs: number;
}

/** What came of a group. */
export interface WriteReply {
  /** In the order of the commands; a failed command fails alone. */
  readonly results: readonly (
    | { readonly ok: true; readonly value: unknown }
    | {
        readonly ok: false;
        /** Undefined: the database is well; the command itself could not be applied. */
        readonly trouble: DatabaseTrouble | undefined;
        readonly message: string;
        /** It was refused for a reason of its own; the database is well. */
        readonly refusal: ThreadRefusal | undefined;
      }
  )[];
  readonly commit: Commit;
}
