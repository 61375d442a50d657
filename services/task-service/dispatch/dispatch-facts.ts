import type { DispatchWindow } from "#task-service/dispatch/dispatch-window.js";

/** What dispatch knows of a task and of its queue at a moment. */
export interface DispatchFacts {
  /** Whether work flows; false while the service starts. */
  readonly isOpen: boolean;
  /** The task's dispatch that no worker has started; undefined: there is none. */
  readonly dispatch: UnstartedDispatch | undefined;
  /** Whether the task is a suspect that waits for its turn apart from others. */
  readonly isWaitingApart: boolean;
  /** How many tasks of the queue are with workers. */
  readonly started: number;
  /** How many tasks of the queue were dispatched and have not started. */
  readonly unstarted: number;
}

/** A dispatch that no worker has started. */
export interface UnstartedDispatch {
  readonly attempt: number;
  /** How long ago it was sent last, milliseconds. */
  readonly ageMs: number;
  /** How often it was sent again because nobody had started it. */
  readonly repeats: number;
  /** Whether JetStream has said that it has it. */
  readonly isConfirmed: boolean;
  /** Whether it is known not to wait in NATS any more. */
  readonly isHandedOut: boolean;
}

/** Gathers {@link DispatchFacts} from the window. */
export function dispatchFacts(
  window: DispatchWindow,
  task: Pick<DispatchFacts, "isOpen" | "isWaitingApart"> & { readonly id: string; readonly queue: string },
): DispatchFacts {
  const { id, queue, isOpen, isWaitingApart } = task;
  const entries = window.of(queue);
  const unstarted = entries.filter(({ due }) => due !== undefined);
  const entry = unstarted.find((one) => one.id === id);
  const dispatch = entry && {
    attempt: entry.attempt,
    ageMs: performance.now() - entry.sentAtMs,
    repeats: entry.round,
    isConfirmed: entry.streamSequence !== undefined,
    isHandedOut: entry.goneAtMs !== undefined,
  };
  return {
    isOpen,
    dispatch,
    isWaitingApart,
    started: entries.length - unstarted.length,
    unstarted: unstarted.length,
  };
}
