import { ReportBatch } from "#libs/proto/gen/taskwire/bus/v1/report.js";
import { applyClaim } from "#libs/tasks/decide.js";
import type { EventFact } from "#libs/tasks/event-fact.js";
import { soundClaim } from "#libs/tasks/sound-claim.js";
import type { Transaction } from "#task-service/store/sqlite/transaction.js";
import type { StaleClaim, WriteResults } from "#task-service/store/write-command.js";

/** Applies workers' reports. They travel as bytes to the writer's thread, so that no other thread spends time on them. */
export function applyBatches(transaction: Transaction, batches: readonly Uint8Array[]): WriteResults["applyReports"] {
  const stale: StaleClaim[] = [];
  let undecodable = 0;
  for (const bytes of batches) {
    const batch = decode(bytes);
    if (batch === undefined) {
      undecodable += 1;
      continue;
    }
    for (const claim of batch.reports) {
      const { workerId } = batch;
      const entry = transaction.find(claim.taskId);
      if (entry === undefined) {
        stale.push({ taskId: claim.taskId, attempt: claim.attempt, workerId });
        continue;
      }
      const facts: EventFact[] = [];
      const verdict = applyClaim(entry.task, workerId, soundClaim(claim), transaction.moment, facts);
      transaction.record(entry, facts);
      if (verdict === "stale") stale.push({ taskId: claim.taskId, attempt: claim.attempt, workerId });
    }
  }
  return { stale, undecodable };
}

function decode(bytes: Uint8Array): ReportBatch | undefined {
  try {
    return ReportBatch.decode(bytes);
  } catch {
    return undefined;
  }
}
