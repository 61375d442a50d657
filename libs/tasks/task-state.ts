/** Where a task stands. The numbers are those of `taskwire.v1.Task.State` and are stored as they are. */
export const TaskState = { PENDING: 1, RUNNING: 2, COMPLETED: 3, FAILED: 4, CANCELLED: 5 } as const;

/** One of the values of {@link TaskState}. */
export type TaskState = (typeof TaskState)[keyof typeof TaskState];

/**
 * The one table of legal moves. A move that is not here is refused and changes nothing.
 *
 *     PENDING ──start──▶ RUNNING ──succeed──▶ COMPLETED
 *        ▲                  ├─────fail──────▶ FAILED
 *        ├──retry, release──┤
 *        ├─────────────expire─────────────────▶ FAILED
 *        └────────cancel────┴───────────────▶ CANCELLED
 *
 *     FAILED, CANCELLED ──reopen──▶ PENDING
 */
const LEGAL_MOVES: Readonly<Record<TaskState, readonly TaskState[]>> = {
  [TaskState.PENDING]: [TaskState.RUNNING, TaskState.FAILED, TaskState.CANCELLED],
  [TaskState.RUNNING]: [TaskState.PENDING, TaskState.COMPLETED, TaskState.FAILED, TaskState.CANCELLED],
  [TaskState.COMPLETED]: [],
  [TaskState.FAILED]: [TaskState.PENDING],
  [TaskState.CANCELLED]: [TaskState.PENDING],
};

/** Whether a task may go from one state to another. */
export function isLegalMove(from: TaskState, to: TaskState): boolean {
  return LEGAL_MOVES[from].includes(to);
}

/** Whether a task in this state has ended; only a client can open it again. */
export function isTerminal(state: TaskState): boolean {
  return state >= TaskState.COMPLETED;
}
