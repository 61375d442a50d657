import { spawn, type ChildProcess } from "node:child_process";

/** Kills a process when this one is gone, however it ends. */
export interface Leash {
  /** Puts the process on the leash. */
  hold(pid: number): void;
  /** Lets it go, for when it has ended. */
  release(): void;
}

// Reads the pid, then waits for the end of the pipe, which comes with the death of the process that holds the other end.
const SCRIPT = 'read -r pid || exit 0; read -r rest; kill -KILL "$pid" 2>/dev/null';

/**
 * Starts a leash: a shell that waits for the end of a pipe that only this process holds, and then kills. It is in a session of its own,
 * so that Ctrl-C does not end it before its ward.
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
    release: () => {
      shell.kill("SIGKILL");
      shell.stdin?.destroy();
    },
  };
}
