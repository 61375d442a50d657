import { isCut } from "#libs/client/is-cut.js";
import type { TaskwireClient, WatchedClass, WatchTasksOptions } from "#libs/client/taskwire-client.js";
import { Detached } from "#cli/command-errors.js";
import type { FramesDisplay } from "#cli/watch/frames-display.js";

/** Which tasks are followed, and from where on. */
export type FilterOptions = Omit<WatchTasksOptions, "signal"> & { readonly filter: string };

/**
 * Follows all tasks that a filter selects until Ctrl-C, which throws {@link Detached} with the command that goes on after the last frame that
 * was shown. When the service stays away, that command is told on stderr before the error is thrown.
 */
export async function followFilter(
  client: TaskwireClient,
  options: FilterOptions,
  display: FramesDisplay,
): Promise<never> {
  const abort = new AbortController();
  const { signal } = abort;
  const detach = () => abort.abort();
  let resumeToken: string | undefined;
  process.once("SIGINT", detach);
  try {
    for await (const frame of client.watchTasks({ ...options, signal })) {
      await display.show(frame, signal);
      ({ resumeToken } = frame);
    }
    throw new Error("the watch has ended by itself");
  } catch (error) {
    display.end();
    const comeBack = `Come back with: ${watchCommandLine(options, resumeToken)}`;
    if (signal.aborted) throw new Detached(`Detached; the tasks go on. ${comeBack}`);
    if (isCut(error) && resumeToken !== undefined) process.stderr.write(`${comeBack}\n`);
    throw error;
  } finally {
    process.off("SIGINT", detach);
  }
}

/** The command that follows the same tasks from a cursor on. */
function watchCommandLine({ filter, classes }: FilterOptions, resumeToken: string | undefined): string {
  const words = ["taskwire", "watch", "--filter", quoted(filter), ...classesFlag(classes)];
  if (resumeToken !== undefined) words.push("--resume", resumeToken);
  return words.join(" ");
}

function classesFlag(classes: readonly WatchedClass[] | undefined): string[] {
  return classes === undefined ? [] : ["--classes", classes.join(",")];
}

/** A word as a POSIX shell takes it. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
