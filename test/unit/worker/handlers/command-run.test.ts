import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { PermanentError, RetryableError } from "#libs/define-task/define-task.js";
import { isAlive } from "#test/support/child-processes.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { runHandler, type RunOptions } from "#test/support/run-handler.js";
import { until } from "#test/support/until.js";
import commandRun from "#worker/handlers/command-run.js";

/** Answers to its input, whose one key says how. */
const PROGRAM = `
let text = "";
for await (const chunk of process.stdin) text += chunk;
const input = JSON.parse(text);
const say = (line) => process.stdout.write(JSON.stringify(line) + "\\n");
if (input?.say) for (const line of input.say) say(line);
if (input?.raw) process.stdout.write(input.raw);
if (input?.stderr) process.stderr.write(input.stderr);
if (input?.echo) say({ result: { input, env: process["env"], cwd: process.cwd() } });
if (input?.flood) for (;;) await new Promise((done) => process.stdout.write("x".repeat(65536), done));
if (input?.signal) process.kill(process.pid, input.signal);
if (input?.exit) process.exit(input.exit);
`;

/** Has a grandchild, says both pids in a log line, and waits; \`$1\` is what it does at SIGTERM. */
const FAMILY = `
trap "$1" TERM
sleep 1000 &
printf '{"log":{"message":"pids","fields":{"pids":[%s,%s]}}}\\n' "$$" "$!"
while :; do wait; done
`;

describe("command.run", () => {
  let directory: ReturnType<typeof freshDirectory>;
  const node = (limits = {}) => ({ argv: [process.execPath, "program.mjs"], env: { GREETING: "hello" }, limits });
  const family = (onTerm: string, limits = {}) => ({ argv: ["/bin/sh", "family.sh", onTerm], limits });

  before(() => {
    directory = freshDirectory();
    writeFileSync(join(directory.path, "program.mjs"), PROGRAM);
    writeFileSync(join(directory.path, "family.sh"), FAMILY);
    writeFileSync(
      join(directory.path, "commands.json"),
      JSON.stringify({
        answer: node(),
        narrow: node({ lineBytes: 1024, stdoutBytes: 4096 }),
        hurried: family("exit 0", { timeoutMs: 300 }),
        polite: family("exit 0"),
        stubborn: family("", { graceMs: 50 }),
        eloquent: family(`echo '{"error":{"code":"TORN","message":"halfway through"}}'; exit 0`),
        deserter: { argv: ["/bin/sh", "-c", "sleep 1000 & echo $! >deserter.pid"] },
        missing: { argv: ["./no-such-program"] },
        nowhere: { argv: [process.execPath], cwd: "no-such-directory" },
        text: { argv: [join(directory.path, "program.mjs")] },
      }),
    );
  });
  after(() => {
    directory.remove();
  });

  const run = (command: string, input?: unknown, options?: RunOptions) =>
    runHandler(
      commandRun,
      { command, ...(input === undefined ? {} : { input }) },
      { ...options, settings: { TASKWIRE_COMMANDS_FILE: join(directory.path, "commands.json") } },
    );
  const failure = async (command: string, input?: unknown) => rejectionOf(run(command, input));

  it("hands progress, log lines, output and the result of the program on", async () => {
    const { result, progress, logs, output } = await run("answer", {
      say: [
        { progress: { current: 1, total: 2, message: "half" } },
        { log: { level: "warn", message: "careful", fields: { at: 1 } } },
        { output: "line 1\n" },
        { output: "line 2\n" },
        { result: { pages: 3, title: "달과 조수" } },
      ],
    });
    expect(result).to.deep.equal({ pages: 3, title: "달과 조수" });
    expect(progress).to.deep.equal([{ current: 1, total: 2, message: "half" }]);
    expect(logs).to.deep.equal(["careful"]);
    expect(output).to.equal("line 1\nline 2\n");
  });

  it("gives the program its input, its directory and a minimal environment", async () => {
    const { result } = await run("answer", { echo: ["넷", 5] }, { attempt: 2 });
    expect(result).to.have.property("cwd", directory.path);
    expect(result).to.have.deep.nested.property("input.echo", ["넷", 5]);
    const { env } = result as { env: Record<string, string> };
    expect(env).to.include({ GREETING: "hello", TASKWIRE_ATTEMPT: "2" });
    expect(Object.keys(env)).to.have.members(["PATH", "LANG", "GREETING", "TASKWIRE_TASK_ID", "TASKWIRE_ATTEMPT"]);
  });

  it("takes exit code 0 without a result for null, blank lines and a missing last line end for what they are", async () => {
    expect((await run("answer")).result).to.equal(null);
    expect((await run("answer", { raw: '\n\n{"result":false}' })).result).to.equal(false);
  });

  it("fails with the program's own error", async () => {
    const error = { code: "NO_PAPER", message: "the tray is empty" };
    const retryable = await failure("answer", { say: [{ error: { ...error, retryAfterMs: 1500 } }], exit: 3 });
    expect(retryable)
      .to.be.instanceOf(RetryableError)
      .and.to.deep.include({ ...error, retryAfterMs: 1500 });
    const permanent = await failure("answer", { say: [{ error: { ...error, retryable: false } }] });
    expect(permanent).to.be.instanceOf(PermanentError).and.to.include(error);
  });

  it("fails retryably when the program does, with its exit code or signal and the end of its stderr", async () => {
    const stderr = `${"x".repeat(3000)}the end`;
    const failed = await failure("answer", { say: [{ result: 1 }], stderr, exit: 7 });
    expect(failed).to.be.instanceOf(RetryableError).and.to.include({ code: "COMMAND_FAILED" });
    expect(failed).to.have.nested.property("details.exitCode", 7);
    expect(failed).to.have.nested.property("details.stderr", stderr.slice(-2048));
    const killed = await failure("answer", { signal: "SIGKILL" });
    expect(killed).to.deep.include({ code: "COMMAND_FAILED", details: { signal: "SIGKILL" } });
  });

  const breaches: Record<string, string> = {
    "no JSON": "password=hunter2\n",
    "no object": "17\n",
    "an unknown key": '{"note":1}\n',
    "two keys": '{"result":1,"output":"a"}\n',
    "a progress that is none": '{"progress":{"fraction":2}}\n',
    "an error without a code": '{"error":{"message":"a"}}\n',
    "a second result": '{"result":1}\n{"result":2}\n',
    "output after the result": '{"result":1}\n{"output":"a"}\n',
  };
  for (const [name, raw] of Object.entries(breaches)) {
    it(`fails for good when a line is ${name}, and does not quote it`, async () => {
      const error = await failure("answer", { raw });
      expect(error).to.be.instanceOf(PermanentError).and.to.include({ code: "COMMAND_PROTOCOL_ERROR" });
      expect(error.message)
        .to.match(/^line [12] of the program's stdout /)
        .and.not.include("hunter2");
    });
  }

  it("bounds a line and all of stdout, and kills what floods", async () => {
    for (const input of [{ raw: "x".repeat(1025) }, { raw: '{"output":"a"}\n'.repeat(300) }, { flood: true }]) {
      const error = await failure("narrow", input);
      expect(error).to.be.instanceOf(PermanentError).and.to.include({ code: "COMMAND_OUTPUT_TOO_LARGE" });
    }
  });

  it("runs nothing but what is configured, and says what is missing", async () => {
    expect(await failure("rm"))
      .to.be.instanceOf(PermanentError)
      .and.to.include({ code: "COMMAND_NOT_ALLOWED" });
    for (const command of ["missing", "nowhere"]) {
      const error = await failure(command);
      expect(error).to.be.instanceOf(PermanentError).and.to.include({ code: "COMMAND_NOT_FOUND" });
    }
    const error = await failure("text");
    expect(error)
      .to.deep.include({ code: "COMMAND_FAILED" })
      .and.to.have.nested.property("details.systemCode", "EACCES");
    expect((await failure("../answer")).message).to.match(/^payload refused/);
  });

  it("kills what a program leaves running when it ends", async () => {
    expect((await run("deserter")).result).to.equal(null);
    const pid = Number(readFileSync(join(directory.path, "deserter.pid"), "utf8"));
    await until("the deserter is gone", async () => !(await isAlive(pid)));
  });

  it("stops a program at its time limit, with all it has started", async () => {
    const pids: number[] = [];
    const ended = run("hurried", null, { onLog: ({ fields }) => pids.push(...pidsIn(fields)) });
    const error = await rejectionOf(ended);
    expect(error).to.be.instanceOf(RetryableError).and.to.include({ code: "COMMAND_TIMEOUT" });
    expect(pids).to.have.lengthOf(2);
    for (const pid of pids) await until(`${pid} is gone`, async () => !(await isAlive(pid)));
  });

  for (const command of ["polite", "stubborn"]) {
    it(`stops a ${command} program and all it has started when the task is cancelled`, async () => {
      const controller = new AbortController();
      const reason = new Error("cancelled in the test");
      const pids: number[] = [];
      const ended = run(command, null, {
        signal: controller.signal,
        onLog: ({ fields }) => {
          pids.push(...pidsIn(fields));
          controller.abort(reason);
        },
      });
      expect(await rejectionOf(ended)).to.equal(reason);
      expect(pids).to.have.lengthOf(2);
      for (const pid of pids) await until(`${pid} is gone`, async () => !(await isAlive(pid)));
    });
  }

  it("keeps the error that a program says when it is told to stop", async () => {
    const controller = new AbortController();
    const onLog = () => {
      controller.abort();
    };
    const error = await rejectionOf(run("eloquent", null, { signal: controller.signal, onLog }));
    expect(error).to.be.instanceOf(RetryableError).and.to.include({ code: "TORN", message: "halfway through" });
  });
});

function pidsIn(fields: unknown): readonly number[] {
  const pids: unknown = Reflect.get(Object(fields), "pids");
  return Array.isArray(pids) ? pids.map(Number) : [];
}
