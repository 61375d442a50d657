import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { TaskState, TaskwireClient } from "#libs/client/taskwire-client.js";
import { environment } from "#libs/config/environment.js";
import { isAlive } from "#test/support/child-processes.js";
import { endOf, eventOf } from "#test/support/follow-task.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { runCli } from "#test/support/run-cli.js";
import { runShell } from "#test/support/run-shell.js";
import { until } from "#test/support/until.js";

const MODULES = fileURLToPath(new URL("../../../node_modules/", import.meta.url));
/** Nothing may come from a network. */
const OFFLINE = { npm_config_offline: "true" };
/** Each shell is a program like any other. */
const COMMANDS = {
  echo: { argv: ["/bin/sh", "-c", `printf '{"result":%s}' "$(cat)"`] },
  fail: { argv: ["/bin/sh", "-c", "echo paper jam >&2; exit 7"] },
  wait: { argv: ["/bin/sh", "-c", `printf '{"output":"%s"}\\n' $$; exec sleep 1000`] },
};

describe("taskwire init", function () {
  this.timeout(60_000);
  // Outside the project's folder, where nothing but what is installed can be imported.
  const directory = freshDirectory(tmpdir());
  const project = join(directory.path, "my-tasks");
  let running: ReturnType<typeof startShell> | undefined;
  let address: string;

  after(async () => {
    const child = running?.child;
    if (child?.exitCode === null && child.signalCode === null) {
      signalGroup(child, "SIGKILL");
      await once(child, "exit");
    }
    directory.remove();
  });

  const shell = async (script: string, cwd: string, env: Readonly<Record<string, string>> = {}) => {
    const result = await runShell(script, { cwd, env: { ...OFFLINE, ...env } });
    expect(result, `${script}: ${result.stderr}${result.stdout}`).to.include({ exitCode: 0 });
    return result.stdout;
  };

  it("makes a project in a directory that is empty", async () => {
    const printed = await shell("taskwire init my-tasks", directory.path);
    expect(printed).to.match(/^ {2}cd my-tasks$/m);
    expect(readdirSync(project).sort()).to.deep.equal(
      [".gitignore", ".npmrc", "README.md", "jsconfig.json", "package.json", "tasks", "test"].sort(),
    );
  });

  it("overwrites nothing", async () => {
    writeFileSync(join(project, ".gitignore"), "mine\n");
    const refused = await runShell("taskwire init .", { cwd: project, env: {} });
    expect(refused).to.include({ exitCode: 2 });
    expect(refused.stderr).to.match(/has package\.json, .* already; nothing was written/);
    expect(readFileSync(join(project, ".gitignore"), "utf8")).to.equal("mine\n");
  });

  it("documents commands that, as they are, install, test, start and complete a task of its own", async () => {
    const readme = readFileSync(join(project, "README.md"), "utf8");
    const [prepare = "", start = "", run = ""] = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, text]) => text);
    expect(await shell(prepare, project)).to.match(/^# pass 5$/m);
    writeFileSync(join(project, "commands.json"), JSON.stringify(COMMANDS));
    running = startShell(start, project, { TASKWIRE_COMMANDS_FILE: join(project, "commands.json") });
    const { printed } = running;
    address = await until("dev says where it listens", () => /gRPC +(\S+)/.exec(printed())?.[1], 20_000);
    expect(JSON.parse(await shell(run, project, { TASKWIRE_ADDRESS: address }))).to.deep.equal({ greetings: 3 });
  });

  it("makes a stack that runs configured programs too, tells of their failures and cancels them", async () => {
    const client = new TaskwireClient({ address });
    try {
      for await (const { type, state } of client.list())
        expect({ type, state }).to.deep.equal({ type: "greeting.write", state: TaskState.COMPLETED });
      expect(await client.run("command.run", { command: "echo", input: ["한글", 1] })).to.deep.equal(["한글", 1]);
      const failed = await client.create("command.run", { command: "fail" }, { maxAttempts: 1 });
      const { error } = await endOf(client, failed.id);
      expect(error).to.deep.include({ code: "COMMAND_FAILED", retryable: true });
      expect(error?.details).to.deep.include({ exitCode: 7, stderr: "paper jam" });
      expect((await endOf(client, (await client.create("command.run", { command: "rm" })).id)).error).to.include({
        code: "COMMAND_NOT_ALLOWED",
        retryable: false,
      });
      const waiting = await client.create("command.run", { command: "wait" });
      const pid = Number((await eventOf(client, waiting.id, "output")).value.text);
      expect(await isAlive(pid)).to.equal(true);
      await client.cancel(waiting.id);
      expect(await endOf(client, waiting.id)).to.include({ state: TaskState.CANCELLED });
      await until("the program is gone", async () => !(await isAlive(pid)));
    } finally {
      client.close();
    }
  });

  it("stops everything on Ctrl-C", async () => {
    if (running === undefined) throw new Error("nothing was started");
    const { child, printed } = running;
    signalGroup(child, "SIGINT");
    await once(child, "exit");
    expect(printed()).to.match(/^Stopped\./m);
  });

  it("is typed: the compiler that an editor asks finds nothing wrong, but a wrong payload", async () => {
    const handler = readFileSync(join(project, "tasks/greet.js"), "utf8");
    writeFileSync(join(project, "tasks/wrong.js"), handler.replace("{ name, times }", "{ name, tims, times }"));
    const tsc = `node '${MODULES}typescript/bin/tsc' -p jsconfig.json --noEmit --lib es2023 --types node --typeRoots '${MODULES}@types'`;
    const { stdout } = await runShell(tsc, { cwd: project, env: {} });
    expect(stdout.trim().split("\n")).to.have.lengthOf(1);
    expect(stdout).to.match(/^tasks\/wrong\.js.*Property 'tims' does not exist/);
  });

  it("has a worker that does not start with a wrong file of commands, and names every problem", async () => {
    writeFileSync(join(project, "commands.json"), '{"a":{"argv":[]},"b":{"argv":["b"],"shell":true}}');
    const result = await runCli(["work", "--commands-file", join(project, "commands.json")]);
    expect(result.exitCode).to.equal(78);
    expect(result.stderr).to.include("a.argv: ").and.include('b: Unrecognized key: "shell"');
  });
});

/** A shell in a process group of its own, as a terminal has one for what runs in front. */
function startShell(
  script: string,
  cwd: string,
  env: Readonly<Record<string, string>>,
): { readonly child: ChildProcess; readonly printed: () => string } {
  const inherited = Object.entries(environment()).filter(([name]) => !name.startsWith("TASKWIRE_"));
  const child = spawn("bash", ["-c", `exec ${script}`], {
    cwd,
    env: { ...Object.fromEntries(inherited), NO_COLOR: "1", ...OFFLINE, ...env },
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  return { child, printed: () => text };
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid !== undefined) process.kill(-child.pid, signal);
}
