import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A process and the command it runs. */
export interface ProcessEntry {
  readonly pid: number;
  readonly parentPid: number;
  readonly command: string;
}

/** Every process of this machine that is not a zombie. */
export async function listProcesses(): Promise<ProcessEntry[]> {
  const { stdout } = await run("ps", ["-A", "-ww", "-o", "pid=,ppid=,stat=,args="], { maxBuffer: 64 * 1024 * 1024 });
  const entries: ProcessEntry[] = [];
  for (const line of stdout.split("\n")) {
    const match = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line);
    if (match === null || match[3]?.startsWith("Z") === true) continue;
    entries.push({ pid: Number(match[1]), parentPid: Number(match[2]), command: match[4] ?? "" });
  }
  return entries;
}

/** The living children of a process. */
export async function childrenOf(pid: number): Promise<ProcessEntry[]> {
  const own = /^ps -A -ww /;
  return (await listProcesses()).filter((entry) => entry.parentPid === pid && !own.test(entry.command));
}

/** Whether a process exists and is not a zombie. */
export async function isAlive(pid: number): Promise<boolean> {
  return (await listProcesses()).some((entry) => entry.pid === pid);
}
