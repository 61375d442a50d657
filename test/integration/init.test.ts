import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { environment } from "#libs/config/environment.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { runShell } from "#test/support/run-shell.js";
import { until } from "#test/support/until.js";

const MODULES = fileURLToPath(new URL("../../../node_modules/", import.meta.url));
/** Nothing may come from a network. */
const OFFLINE = { npm_config_offline: "true" };

describe("taskwire init", function () {
  this.timeout(60_000);
  // Outside the project's folder, where nothing but what is installed can be imported.
  const directory = freshDirectory(tmpdir());
  const project = join(directory.path, "my-tasks");
  let started: ChildProcess | undefined;

  after(async () => {
    if (started?.exitCode === null && started.signalCode === null) {
      signalGroup(started, "SIGKILL");
      await once(started, "exit");
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
    const process = startShell(start, project);
    started = process.child;
    const address = await until("dev says where it listens", () => /gRPC +(\S+)/.exec(process.printed())?.[1], 20_000);
    expect(JSON.parse(await shell(run, project, { TASKWIRE_ADDRESS: address }))).to.deep.equal({ greetings: 3 });
    const listed = await shell("npx taskwire list", project, { TASKWIRE_ADDRESS: address });
    expect(listed).to.match(/greeting\.write +default +COMPLETED/);
    signalGroup(process.child, "SIGINT");
    await once(process.child, "exit");
    expect(process.printed()).to.match(/^Stopped\./m);
  });

  it("is typed: the compiler that an editor asks finds nothing wrong, and finds a wrong payload", async () => {
    const tsc = `node '${MODULES}typescript/bin/tsc' -p jsconfig.json --noEmit --types node --typeRoots '${MODULES}@types'`;
    expect(await shell(tsc, project)).to.equal("");
    const handler = join(project, "tasks/greet.js");
    writeFileSync(handler, readFileSync(handler, "utf8").replace("{ name, times }", "{ name, tims, times }"));
    const found = await runShell(tsc, { cwd: project, env: {} });
    expect(found.stdout).to.match(/^tasks\/greet\.js.*Property 'tims' does not exist/);
  });
});

/** A shell in a process group of its own, as a terminal has one for what runs in front. */
function startShell(script: string, cwd: string): { readonly child: ChildProcess; printed(): string } {
  const inherited = Object.entries(environment()).filter(([name]) => !name.startsWith("TASKWIRE_"));
  const child = spawn("bash", ["-c", `exec ${script}`], {
    cwd,
    env: { ...Object.fromEntries(inherited), NO_COLOR: "1", ...OFFLINE },
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
