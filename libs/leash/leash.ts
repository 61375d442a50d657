import { spawn, type ChildProcess } from "node:child_process";

/** Kills a process or a group of processes when this one is gone, however it ends. */
export interface Leash {
  /** Puts the process on the leash. */
  hold(pid: number): void;
  /** Puts a whole process group on the leash, by the pid of its leader. */
  holdGroup(leaderPid: number): void;
  /** Lets it go, for when it has ended. */
  release(): void;
}

// Reads the pid (a negative one means a group), then waits for the end of the pipe, which comes with the death of the process that
// holds the other end.
const SCRIPT = 'read -r target || exit 0; read -r rest; kill -s KILL -- "$target" 2>/dev/null';

/**
 * Starts a leash: a shell that waits for the end of a pipe that only this process holds, and then kills. It is in a session of its own,
 * so that Ctrl-C does not end it before its ward, and neither does the death of this process' group.
 */
export function createLeash(): Leash {
  const shell: ChildProcess = spawn("/bin/sh", ["-c", SCRIPT], { stdio: ["pipe", "ignore", "ignore"], detached: true });
  shell.on("error", () => undefined);
  shell.stdin?.on("error", () => undefined);
  shell.unref();
  return {
    hold: (pid) => {
      shell.stdin?.write(`${pid}\n`);
    },
    holdGroup: (leaderPid) => {
      shell.stdin?.write(`-${leaderPid}\n`);
    },
    release: () => {
      shell.kill("SIGKILL");
      shell.stdin?.destroy();
    },
  };
}
