import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { deferred } from "#libs/async/deferred.js";
import type { IsolateOutcome } from "#libs/attempts/isolate-outcome.js";
import { environment } from "#libs/config/environment.js";
import { silentLogger } from "#libs/log/logger.js";
import { isAlive } from "#test/support/child-processes.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { until } from "#test/support/until.js";
import { MemoryWatch } from "#worker/isolate/memory-watch.js";
import { ProcessIsolate } from "#worker/isolate/process-isolate.js";

const COMMAND_RUN = fileURLToPath(new URL("../../../../../services/worker/handlers/command-run.js", import.meta.url));
/** Says its own pid and that of a grandchild, and never ends: not even at SIGTERM. */
const STUBBORN = `
trap "" TERM
sleep 1000 &
printf '{"output":"%s %s"}\\n' "$$" "$!"
while :; do wait; done
`;

describe("a program whose isolate dies", () => {
  const directory = freshDirectory();
  let isolate: ProcessIsolate;

  before(async () => {
    writeFileSync(join(directory.path, "stubborn.sh"), STUBBORN);
    const commands = join(directory.path, "commands.json");
    writeFileSync(commands, JSON.stringify({ stubborn: { argv: ["/bin/sh", "stubborn.sh"] } }));
    isolate = new ProcessIsolate({
      modules: [COMMAND_RUN],
      memoryBytes: 256 * 1024 * 1024,
      nice: 10,
      freezeKillMs: 8000,
      environment: { ...environment(), TASKWIRE_COMMANDS_FILE: commands },
      memoryWatch: new MemoryWatch(),
      logger: silentLogger(),
    });
    await isolate.ready();
  });
  after(async () => {
    await isolate.close();
    directory.remove();
  });

  it("is killed with all it has started", async () => {
    const pids = deferred<readonly number[]>();
    const ended = deferred<IsolateOutcome>();
    isolate.begin(
      {
        type: "command.run",
        taskId: "0199aaaa-0000-7000-8000-000000000001",
        attempt: 1,
        maxAttempts: 1,
        payloadJson: '{"command":"stubborn"}',
        deadlineMs: Date.now() + 60_000,
        speech: { progressIntervalMs: 0, logLines: 10, logBytes: 1000, outputBytes: 1000 },
      },
      {
        onProgress: () => undefined,
        onLog: () => undefined,
        onOutput: ({ text }) => {
          pids.resolve(text.split(" ").map(Number));
        },
        onAborted: () => undefined,
        onEnd: ended.resolve,
      },
    );
    const family = await pids.promise;
    for (const pid of family) expect(await isAlive(pid)).to.equal(true);
    process.kill(isolate.pid ?? 0, "SIGKILL");
    expect(await ended.promise).to.deep.include({ kind: "died", signal: "SIGKILL" });
    for (const pid of family) await until(`${pid} is gone`, async () => !(await isAlive(pid)));
  });
});
