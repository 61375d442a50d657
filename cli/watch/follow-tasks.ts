import { isTerminal } from "#libs/client/task-watch.js";
import type { TaskwireClient, WatchFrame } from "#libs/client/taskwire-client.js";
import { Task_State as State } from "#libs/proto/gen/taskwire/v1/task.js";
import { Detached } from "#cli/command-errors.js";
import { EXIT, type ExitCode } from "#cli/exit-codes.js";
import type { TaskLine } from "#cli/watch/task-line.js";
import type { WatchDisplay } from "#cli/watch/watch-display.js";

/** How {@link followTasks} follows. */
export interface FollowOptions {
  /** Whether to begin with how a task stands instead of the event after its line's. */
  readonly withSnapshot?: boolean;
  /** The frames of the one task there is, where its stream is open already, and what ends that stream. */
  readonly opened?: { readonly frames: AsyncIterable<WatchFrame>; readonly abort: AbortController };
  /** What Ctrl-C says; default: how to come back. */
  readonly farewell?: string;
}

/** Follows tasks to their ends. Ctrl-C throws {@link Detached}, whose message says how to come back; the tasks go on. */
export async function followTasks(
  client: TaskwireClient,
  lines: readonly TaskLine[],
  display: WatchDisplay,
  options: FollowOptions,
): Promise<void> {
  const { opened, farewell } = options;
  const abort = opened?.abort ?? new AbortController();
  const detach = () => {
    abort.abort(new Detached(farewell ?? wayBack(lines)));
  };
  process.once("SIGINT", detach);
  try {
    await Promise.all(
      lines.map(async (line) => {
        const start = options.withSnapshot === true ? {} : { afterSequence: line.sequence };
        for await (const frame of opened?.frames ?? client.watch(line.id, { ...start, signal: abort.signal })) {
          display.show(line, frame, line.apply(frame));
        }
      }),
    );
  } catch (error) {
    abort.abort(error);
    throw abort.signal.reason;
  } finally {
    process.off("SIGINT", detach);
    display.end();
  }
}

/** The exit code for finished tasks: that of the worst end among them. */
export function exitCodeOf(lines: readonly TaskLine[]): ExitCode {
  if (lines.some((line) => line.state === State.FAILED)) return EXIT.failed;
  if (lines.some((line) => line.state === State.CANCELLED)) return EXIT.cancelled;
  return EXIT.ok;
}

function wayBack(lines: readonly TaskLine[]): string {
  const open = lines.filter((line) => !isTerminal(line.state));
  const [only] = open;
  if (only !== undefined && open.length === 1) {
    return `Detached; the task goes on. Come back with: taskwire watch ${only.id} --after ${only.sequence}`;
  }
  return `Detached; ${open.length} tasks go on. Come back with: taskwire watch ${open.map((line) => line.id).join(" ")}`;
}
