import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { until } from "#test/support/until.js";

/** Stops a process (SIGSTOP) and returns when all of its threads stand: some go on for a moment after the signal was sent. */
export async function freezeProcess(pid: number): Promise<void> {
  process.kill(pid, "SIGSTOP");
  await until(`process ${pid} stands`, () => statesOf(pid).every((state) => state.startsWith("T")));
}

/** The states of the threads of a process; where there is no `/proc`, that of the process. */
function statesOf(pid: number): string[] {
  const threads = `/proc/${pid}/task`;
  if (!existsSync(threads))
    return [execFileSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" }).trim()];
  return readdirSync(threads).map((thread) => {
    const text = readFileSync(`${threads}/${thread}/stat`, "utf8");
    // The name before it is in parentheses and may hold anything.
    return text.slice(text.lastIndexOf(")") + 2, text.lastIndexOf(")") + 3);
  });
}
