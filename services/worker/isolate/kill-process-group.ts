/**
 * Kills a process that leads a group of its own, and with it everything it has started and not put into another group. Does nothing
 * when none of them is left.
 */
export function killProcessGroup(leaderPid: number): void {
  try {
    process.kill(process.platform === "win32" ? leaderPid : -leaderPid, "SIGKILL");
  } catch {
    // All are gone.
  }
}
