import type { EventFact } from "#libs/tasks/event-fact.js";
import { requestCancel } from "#libs/tasks/decide.js";
import { endAskedCancel, expireDeadline, expireLease, isReopenable, reopen } from "#libs/tasks/upkeep-decisions.js";
import { applyBatches } from "#task-service/store/sqlite/apply-batches.js";
import { createTasks } from "#task-service/store/sqlite/create-tasks.js";
import { Counted } from "#task-service/store/commit-counts.js";
import { recordFacts } from "#task-service/store/sqlite/record-facts.js";
import type { Transaction } from "#task-service/store/sqlite/transaction.js";
import type {
  Lease,
  UnstartedTask,
  WithWorker,
  WriteCommand,
  WriteResults,
} from "#task-service/store/write-command.js";

/** Applies one command within a transaction. Throws what the database throws. */
export function runCommand(transaction: Transaction, command: WriteCommand): WriteResults[WriteCommand["kind"]] {
  switch (command.kind) {
    case "create":
      return createTasks(transaction, command.tasks, command.mustExist);
    case "applyReports":
      return applyBatches(transaction, command.batches);
    case "requestCancel":
      return cancel(transaction, command.id, command.reason, command.withWorker);
    case "reopen":
      return open(transaction, command.id, command.sequence);
    case "expireLeases":
      return { expired: command.leases.filter((lease) => loseWorker(transaction, lease, command.poisonLosses)).length };
    case "expireDeadlines":
      return { expired: command.tasks.filter((task) => missDeadline(transaction, task)).length };
    case "endCancels":
      return { count: command.tasks.filter((task) => endCancel(transaction, task)).length };
    case "endOldCancels": {
      transaction.flush();
      const { beforeMs, limit, keys, areUntaken: isUntaken } = command;
      const spared = new Set(command.spared);
      const rows =
        transaction.rowsOf(keys) ?? transaction.statements.selectOldCancels.all(beforeMs, limit + spared.size);
      const ended = rows.filter(({ id }) => !spared.has(id) && endCancel(transaction, { id, isUntaken }));
      return { count: ended.length };
    }
    case "makeDue":
      return transaction.makeDue(command.limit, command.keys);
    case "deleteFinished":
      return transaction.deleteFinished(command.beforeMs, command.limit, command.keys);
    case "probe":
      transaction.saveCounters();
      return {};
  }
}

function cancel(
  transaction: Transaction,
  id: string,
  reason: string,
  withWorker: WithWorker,
): WriteResults["requestCancel"] {
  const entry = transaction.find(id);
  if (entry === undefined) return { verdict: "notFound", task: null };
  const facts: EventFact[] = [];
  // What a worker may have been handed when this was asked may be over by now, and whose time has not come was handed to nobody.
  const isNext = withWorker === "any" || withWorker === entry.task.attempt + 1;
  const mayBeWithWorker = isNext && !transaction.isWaiting(entry);
  const verdict = requestCancel(entry.task, reason, mayBeWithWorker, transaction.moment, facts);
  recordFacts(transaction, entry, facts);
  return { verdict, task: entry.task };
}

function open(transaction: Transaction, id: string, sequence: number | null): WriteResults["reopen"] {
  // If it has ended in this transaction, that is told on its own: who dispatches must not take it for the same round.
  transaction.flush();
  const entry = transaction.find(id);
  if (entry === undefined) return { verdict: "notFound", task: null };
  const { task } = entry;
  if (sequence !== null && task.sequence !== sequence) return { verdict: "changed", task };
  if (isReopenable(task.state) && !transaction.hasRoom(task.queue, 1)) return { verdict: "queueFull", task };
  // Its own fields tell of the round that ended until it is opened.
  const facts: EventFact[] = [];
  const before = { ...task };
  const verdict = reopen(task, transaction.moment, facts);
  if (verdict === "reopened") transaction.recordAttempt(before);
  recordFacts(transaction, entry, facts);
  return { verdict, task };
}

function loseWorker(transaction: Transaction, lease: Lease, poisonLosses: number): boolean {
  const entry = transaction.find(lease.id);
  if (entry === undefined) return false;
  const facts: EventFact[] = [];
  const isLost = expireLease(
    entry.task,
    lease,
    lease.isShared === true ? Infinity : poisonLosses,
    transaction.moment,
    facts,
  );
  recordFacts(transaction, entry, facts);
  if (isLost) transaction.tally.add(Counted.LEASES_EXPIRED);
  return isLost;
}

function missDeadline(transaction: Transaction, { id, attempt, isUntaken }: UnstartedTask): boolean {
  const entry = transaction.find(id);
  if (entry?.task.attempt !== attempt) return false;
  const facts: EventFact[] = [];
  const isMissed = expireDeadline(entry.task, isUntaken, transaction.moment, facts);
  recordFacts(transaction, entry, facts);
  return isMissed;
}

/** `attempt`: only if it is the task's latest one; undefined: whichever is. */
function endCancel(
  transaction: Transaction,
  of: Omit<UnstartedTask, "attempt"> & { readonly attempt?: number },
): boolean {
  const entry = transaction.find(of.id);
  if (entry === undefined || (of.attempt ?? entry.task.attempt) !== entry.task.attempt) return false;
  const facts: EventFact[] = [];
  const isEnded = endAskedCancel(entry.task, of.isUntaken, transaction.moment, facts);
  recordFacts(transaction, entry, facts);
  return isEnded;
}
