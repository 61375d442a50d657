import { ReportBatch } from "#libs/proto/gen/taskwire/bus/v1/report.js";
import { REPORTS_CONTEXT } from "#libs/sealing/contexts.js";
import type { KeyRing } from "#libs/sealing/key-ring.js";
import type { WriterStatements } from "#task-service/store/sqlite/statements.js";
import type { WriteCommand, WriteResults } from "#task-service/store/write-command.js";

/** A command about many tasks as commands about one each, and how their answers make the command's answer. */
export interface SplitCommand {
  readonly parts: readonly WriteCommand[];
  /** `answers`: of the parts that could be applied; `failed`: how many could not. */
  readonly merge: (answers: readonly unknown[], failed: number) => WriteResults[WriteCommand["kind"]];
  /** Nobody asks again for what failed once the merged answer is given. So many failures are all of its tasks. */
  readonly losesAllAt?: number;
}

/** A command that chooses its tasks itself. */
type ChoosingCommand = Extract<WriteCommand, { readonly limit: number }>;

/** What {@link splitCommand} needs of the writer. */
export interface SplitSource {
  readonly ring: KeyRing;
  readonly nowMs: number;
  readonly statements: Pick<WriterStatements, "selectKeysOf">;
}

/**
 * Takes a command apart that a damaged page of the database has made fail, so that only the tasks on that page are left out. Undefined: it
 * is about one task. Throws what the database throws.
 */
export function splitCommand(command: WriteCommand, source: SplitSource): SplitCommand | undefined {
  switch (command.kind) {
    case "applyReports":
      return command.isPart === true ? undefined : splitReports(command.batches, source.ring);
    case "expireLeases":
      if (command.leases.length < 2) return undefined;
      return { parts: command.leases.map((lease) => ({ ...command, leases: [lease] })), merge: sumExpired };
    case "expireDeadlines":
      if (command.tasks.length < 2) return undefined;
      return { parts: command.tasks.map((task) => ({ ...command, tasks: [task] })), merge: sumExpired };
    case "endCancels":
      if (command.tasks.length < 2) return undefined;
      return { parts: command.tasks.map((task) => ({ ...command, tasks: [task] })), merge: sumCounts };
    case "makeDue":
    case "endOldCancels":
    case "deleteFinished":
      return splitChoice(command, source);
    default:
      return undefined;
  }
}

/** Two halves, which are taken apart in their turn: there may be many tasks, and every part that succeeds is a commit. */
function splitChoice(command: ChoosingCommand, { nowMs, statements }: SplitSource): SplitCommand | undefined {
  const { kind } = command;
  const limit = command.limit + (kind === "endOldCancels" ? command.spared.length : 0);
  const beforeMs = kind === "makeDue" ? nowMs : command.beforeMs;
  const keys = command.keys ?? statements.selectKeysOf[kind].all(beforeMs, limit).map(({ key }) => key);
  if (command.keys !== undefined && keys.length < 2) return undefined;
  const middle = Math.ceil(keys.length / 2);
  const halves = [keys.slice(0, middle), keys.slice(middle)].filter((half) => half.length > 0);
  return {
    parts: halves.map((half) => ({ ...command, keys: half })),
    // The next run time would be that of a task that was left out: long past.
    merge: (answers) => (kind === "makeDue" ? { ...sumCounts(answers), nextRunTimeMs: null } : sumCounts(answers)),
  };
}

function sumCounts(answers: readonly unknown[]): { readonly count: number } {
  return { count: (answers as { readonly count: number }[]).reduce((sum, { count }) => sum + count, 0) };
}

function sumExpired(answers: readonly unknown[]): { readonly expired: number } {
  return { expired: (answers as { readonly expired: number }[]).reduce((sum, { expired }) => sum + expired, 0) };
}

/** One part per task, with its reports in their order; batches that cannot be read are a part of their own. */
function splitReports(batches: readonly Uint8Array[], ring: KeyRing): SplitCommand {
  const byTask = new Map<string, Uint8Array[]>();
  const unread: { readonly index: number; readonly bytes: Uint8Array }[] = [];
  for (const [index, bytes] of batches.entries()) {
    const batch = read(bytes, ring);
    if (batch === undefined) unread.push({ index, bytes });
    for (const taskId of new Set(batch?.reports.map((report) => report.taskId))) {
      const reports = batch?.reports.filter((report) => report.taskId === taskId) ?? [];
      const own = ReportBatch.encode({ ...ReportBatch.create(batch), reports }).finish();
      byTask.set(taskId, [...(byTask.get(taskId) ?? []), own]);
    }
  }
  const parts = [unread.map(({ bytes }) => bytes), ...byTask.values()];
  return {
    losesAllAt: byTask.size,
    parts: parts.map((part) => ({ kind: "applyReports", batches: part, isPart: true })),
    merge: (answers, failed) => {
      const all = answers as WriteResults["applyReports"][];
      return {
        stale: all.flatMap(({ stale }) => stale),
        undecodable: all.reduce((sum, { undecodable }) => sum + undecodable, 0),
        locked: all.flatMap(({ locked }) => locked.map(([at, keyId]) => [unread[at]?.index ?? at, keyId] as const)),
        damaged: failed,
      };
    },
  };
}

function read(bytes: Uint8Array, ring: KeyRing): ReportBatch | undefined {
  try {
    return ReportBatch.decode(ring.open(bytes, REPORTS_CONTEXT));
  } catch {
    return undefined;
  }
}
