import { childrenOf } from "#test/support/child-processes.js";
import { until } from "#test/support/until.js";

/** Kinds of open handles that a test must not leave behind. */
const WATCHED = new Set(["TCPServerWrap", "TCPSocketWrap", "ProcessWrap", "MessagePort"]);
const SETTLE_MS = 5000;

function openHandles(): string[] {
  return process.getActiveResourcesInfo().filter((kind) => WATCHED.has(kind));
}

/** Mocha lets a rejection that nobody handles pass; a service ends with exit code 70 by it. */
function failRun(reason: unknown): never {
  throw reason;
}

/**
 * Fails the run when a rejection is left unhandled, and when a child process or an open socket, server or thread is left after the last test.
 */
export const mochaHooks = {
  beforeAll(): void {
    process.on("unhandledRejection", failRun);
  },

  async afterAll(this: Mocha.Context): Promise<void> {
    this.timeout(SETTLE_MS * 3);
    await until("no child process is left", async () => (await childrenOf(process.pid)).length === 0, SETTLE_MS).catch(
      async () => {
        const left = (await childrenOf(process.pid)).map(({ pid, command }) => `${pid} ${command}`);
        for (const { pid } of await childrenOf(process.pid)) process.kill(pid, "SIGKILL");
        throw new Error(`child processes are left:\n  ${left.join("\n  ")}`);
      },
    );
    await until("no open handle is left", () => openHandles().length === 0, SETTLE_MS).catch(() => {
      throw new Error(`open handles are left: ${openHandles().join(", ")}`);
    });
    process.off("unhandledRejection", failRun);
  },
};
