/** What a new project is made of. */
export interface ProjectFacts {
  readonly name: string;
  /** Root of the taskwire package that the project uses; absolute. */
  readonly taskwireRoot: string;
  /** Root of the zod package that taskwire itself uses; absolute. */
  readonly zodRoot: string;
}

const HANDLER = `// @ts-check
import { setTimeout as wait } from "node:timers/promises";
import { defineTask, PermanentError } from "taskwire/define-task";
import { z } from "zod";

export const greet = defineTask(
  "greeting.write",
  {
    payload: z.object({
      name: z.string().min(1).max(100),
      times: z.number().int().min(1).max(100).default(3),
    }),
    result: z.object({ greetings: z.number() }),
    maxAttempts: 5,
    softTimeoutMs: 60_000,
    hardTimeoutMs: 90_000,
  },
  async (task) => {
    const { name, times } = task.payload;
    if (name === "nobody") throw new PermanentError("NOBODY_THERE", "there is nobody to greet");
    for (let done = 0; done < times; done += 1) {
      task.progress({ current: done, total: times, message: "greeting" });
      // Ends at once when the task is cancelled or a limit is reached.
      await wait(100, undefined, { signal: task.signal });
      task.output(\`Hello, \${name}!\\n\`);
    }
    task.log.info("greeted", { times });
    return { greetings: times };
  },
);
`;

const TEST = `// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { runTask, startTask } from "taskwire/testing";
import { greet } from "../tasks/greet.js";

test("greets as often as asked", async () => {
  const run = await runTask(greet, { name: "Ada", times: 2 });
  assert.equal(run.state, "COMPLETED");
  assert.deepEqual(run.result, { greetings: 2 });
  assert.equal(run.output(), "Hello, Ada!\\nHello, Ada!\\n");
  assert.deepEqual(run.progress[1], { current: 1, total: 2, message: "greeting" });
});

test("fails for good when nobody is there", async () => {
  const run = await runTask(greet, { name: "nobody" });
  assert.equal(run.error?.code, "NOBODY_THERE");
  assert.equal(run.attempts.length, 1);
});

test("refuses a payload without a name", async () => {
  const run = await runTask(greet, {});
  assert.equal(run.error?.code, "PAYLOAD_REJECTED");
});

test("stops when it is cancelled, wherever it is", async () => {
  const run = startTask(greet, { name: "Ada", times: 100 }, { fakeTimers: true });
  await run.advance(1050);
  run.cancel();
  await run.toEnd();
  assert.equal(run.state, "CANCELLED");
  assert.equal(run.output().split("\\n").length - 1, 10);
});

test("gives way to the soft limit, and is tried again", async () => {
  const run = startTask(greet, { name: "Ada", times: 100 }, { fakeTimers: true, softTimeoutMs: 1000 });
  await run.advance(1000);
  assert.equal(run.attempts[0]?.error?.code, "SOFT_TIMEOUT");
  assert.equal(run.state, "PENDING");
  run.close();
});
`;

/** The commands of the README, in their order; the integration test runs them as they are. */
const COMMANDS = {
  install: "npm install",
  test: "npm test",
  start: "npm start",
  run: `npx taskwire run greeting.write '{"name":"Ada"}'`,
};

function readme({ name, taskwireRoot }: ProjectFacts): string {
  return `# ${name}

A Taskwire handler with its test. It needs Node.js 20.19 or later, and a nats-server that \`npm start\` finds (\`taskwire dev\` says how).

\`\`\`sh
${COMMANDS.install}
${COMMANDS.test}
\`\`\`

Start everything on this machine (Ctrl-C stops it) …

\`\`\`sh
${COMMANDS.start}
\`\`\`

… and run a task in another terminal:

\`\`\`sh
${COMMANDS.run}
\`\`\`

If port 50051 was taken, \`npm start\` prints another address: set \`TASKWIRE_ADDRESS\` to it.

- \`tasks/greet.js\`: the handler. After a change, start again.
- \`test/greet.test.js\`: its test, without servers.
- Taskwire is not published to a registry: \`package.json\` links to the copy that made this project, ${taskwireRoot},
  and to its zod, so that the install needs no network. Put another path, or for zod a version, where that suits you better.
`;
}

/** The files of a new project, by their path in it. */
export function projectFiles(facts: ProjectFacts): ReadonlyMap<string, string> {
  const manifest = {
    name: facts.name,
    version: "0.1.0",
    private: true,
    type: "module",
    engines: { node: ">=20.19" },
    scripts: { start: "taskwire dev --tasks ./tasks/greet.js", test: "node --test" },
    dependencies: { taskwire: `file:${facts.taskwireRoot}`, zod: `file:${facts.zodRoot}` },
  };
  const editor = { compilerOptions: { strict: true, module: "nodenext", target: "es2023", skipLibCheck: true } };
  return new Map([
    ["package.json", json(manifest)],
    ["jsconfig.json", json({ ...editor, include: ["tasks", "test"] })],
    [".npmrc", "# Linked, not copied.\ninstall-links=false\naudit=false\nfund=false\n"],
    [".gitignore", "node_modules/\n.taskwire/\n"],
    ["README.md", readme(facts)],
    ["tasks/greet.js", HANDLER],
    ["test/greet.test.js", TEST],
  ]);
}

function json(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
