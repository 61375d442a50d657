import { Evidence, type Verdict } from "#test/robustness/evidence.js";
import type { HistoryIndex } from "#test/robustness/history-index.js";
import { isOver, stateName } from "#test/robustness/task-story.js";

/** Every task whose create was answered is there and has ended; one create makes one task, and a batch all of its tasks or none. */
export function acceptedTasksKept({ history, finals }: HistoryIndex): Verdict {
  const evidence = new Evidence("No accepted task is lost, none is made twice", "tasks and calls");
  for (const id of history.missing) evidence.expect(false, () => `task ${id} was accepted and is not found`);
  for (const { snapshot } of history.finals)
    evidence.expect(
      isOver(snapshot.state),
      () => `task ${snapshot.id} has not ended: it is ${stateName(snapshot.state)}`,
    );

  const idsOfOp = new Map<number, Set<string>>();
  const note = (op: number, id: string) => {
    const ids = idsOfOp.get(op);
    if (ids === undefined) idsOfOp.set(op, new Set([id]));
    else ids.add(id);
  };
  for (const { snapshot } of history.finals) note(snapshot.op, snapshot.id);
  for (const { ops, tasks, outcome } of history.calls) {
    if (outcome !== "ok") continue;
    for (const [index, op] of ops.entries()) {
      const task = tasks[index];
      evidence.expect(task?.op === op, () => `create ${op} was answered with the task of create ${task?.op}`);
      if (task === undefined) continue;
      note(op, task.id);
      evidence.expect(finals.has(task.id), () => `task ${task.id} of create ${op} was accepted and is not listed`);
    }
  }
  for (const [op, ids] of idsOfOp)
    evidence.expect(ids.size === 1, () => `create ${op} made ${ids.size} tasks: ${[...ids].join(", ")}`);

  const listed = new Set(history.finals.map(({ snapshot }) => snapshot.op));
  let unknown = 0;
  for (const { kind, via, ops, outcome, error } of history.calls) {
    if (kind === "batch") {
      const made = ops.filter((op) => listed.has(op)).length;
      evidence.expect(made === 0 || made === ops.length, () => `batch ${ops.join(", ")} made only ${made} tasks`);
    }
    if (outcome === "unknown" && ops.length > 0) unknown += 1;
    const [op] = ops;
    if (kind !== "create" || via !== "raw" || outcome !== "refused" || op === undefined) continue;
    const others = history.calls.filter((call) => call.ops.includes(op));
    if (others.length === 1)
      evidence.expect(!listed.has(op), () => `create ${op} was refused (${error}) and made a task`);
  }
  evidence.note(`${unknown} creates whose answer was lost`);
  return evidence.verdict();
}
