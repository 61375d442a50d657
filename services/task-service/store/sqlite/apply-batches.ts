import { ReportBatch } from "#libs/proto/gen/taskwire/bus/v1/report.js";
import { REPORTS_CONTEXT } from "#libs/sealing/contexts.js";
import type { KeyRing } from "#libs/sealing/key-ring.js";
import { missingKeyOf } from "#libs/sealing/sealing-errors.js";
import { applyClaim } from "#libs/tasks/decide.js";
import type { EventFact } from "#libs/tasks/event-fact.js";
import { soundClaim } from "#libs/tasks/sound-claim.js";
import { Counted } from "#task-service/store/commit-counts.js";
import { recordFacts } from "#task-service/store/sqlite/record-facts.js";
import type { Transaction } from "#task-service/store/sqlite/transaction.js";
import type { StaleClaim, WriteResults } from "#task-service/store/write-command.js";

/**
 * Applies workers' reports. They travel as bytes to the writer's thread, so that no other thread spends time on them. A batch whose key is
 * missing is left out.
 */
export function applyBatches(transaction: Transaction, batches: readonly Uint8Array[]): WriteResults["applyReports"] {
  const stale: StaleClaim[] = [];
  const locked: [number, string][] = [];
  let undecodable = 0;
  for (const [index, bytes] of batches.entries()) {
    const batch = decode(bytes, transaction.ring);
    if (batch === undefined) {
      undecodable += 1;
      continue;
    }
    if (typeof batch === "string") {
      locked.push([index, batch]);
      continue;
    }
    for (const claim of batch.reports) {
      const { workerId } = batch;
      const entry = transaction.find(claim.taskId);
      if (entry === undefined) {
        stale.push({ taskId: claim.taskId, attempt: claim.attempt, workerId });
        transaction.tally.add(Counted.STALE_REPORTS);
        continue;
      }
      const facts: EventFact[] = [];
      const verdict = applyClaim(entry.task, workerId, soundClaim(claim), transaction.moment, facts);
      recordFacts(transaction, entry, facts);
      if (verdict === "applied") transaction.tally.add(Counted.REPORTS);
      if (verdict !== "stale") continue;
      stale.push({ taskId: claim.taskId, attempt: claim.attempt, workerId });
      transaction.tally.add(Counted.STALE_REPORTS);
    }
  }
  return { stale, undecodable, locked, damaged: 0 };
}

/** The batch; the id of the key that it needs and that is not here; undefined: nobody can read it. */
function decode(bytes: Uint8Array, ring: KeyRing): ReportBatch | string | undefined {
  try {
    return ReportBatch.decode(ring.open(bytes, REPORTS_CONTEXT));
  } catch (error) {
    return missingKeyOf(error);
  }
}
