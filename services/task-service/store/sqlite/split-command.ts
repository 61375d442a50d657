import { ReportBatch } from "#libs/proto/gen/taskwire/bus/v1/report.js";
import { REPORTS_CONTEXT } from "#libs/sealing/contexts.js";
import type { KeyRing } from "#libs/sealing/key-ring.js";
import type { WriteCommand, WriteResults } from "#task-service/store/write-command.js";

/** A command about many tasks as commands about one each, and how their answers make the command's answer. */
export interface SplitCommand {
  readonly parts: readonly WriteCommand[];
  /** `answers`: of the parts that could be applied; `failed`: how many could not. */
  readonly merge: (answers: readonly unknown[], failed: number) => WriteResults[WriteCommand["kind"]];
}

/**
 * Takes a command apart that a damaged page of the database has made fail, so that only the tasks on that page are left out. Undefined: it
 * is about one task, or chooses its tasks itself.
 */
export function splitCommand(command: WriteCommand, ring: KeyRing): SplitCommand | undefined {
  switch (command.kind) {
    case "applyReports":
      return command.isPart === true ? undefined : splitReports(command.batches, ring);
    case "expireLeases":
      if (command.leases.length < 2) return undefined;
      return { parts: command.leases.map((lease) => ({ ...command, leases: [lease] })), merge: sumExpired };
    case "expireDeadlines":
      if (command.ids.length < 2) return undefined;
      return { parts: command.ids.map((id) => ({ ...command, ids: [id] })), merge: sumExpired };
    default:
      return undefined;
  }
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
