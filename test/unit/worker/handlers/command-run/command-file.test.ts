import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { commandFileProblems, readCommandFile } from "#worker/handlers/command-run/command-file.js";

describe("the file of commands", () => {
  let directory: ReturnType<typeof freshDirectory>;
  let path: string;
  const read = (text: string) => {
    writeFileSync(path, text);
    return readCommandFile(path);
  };
  const problemsOf = (content: unknown) => {
    const file = read(JSON.stringify(content));
    return file.ok ? [] : file.problems;
  };

  before(() => {
    directory = freshDirectory();
    path = join(directory.path, "commands.json");
  });
  after(() => directory.remove());

  it("is complete with a name and what to start", () => {
    const file = read(JSON.stringify({ convert: { argv: ["convert", "-"] }, b: { argv: ["b"], cwd: "deep" } }));
    if (!file.ok) throw new Error(file.problems.join("\n"));
    expect(file.commands.get("convert")).to.deep.equal({
      argv: ["convert", "-"],
      cwd: directory.path,
      env: {},
      limits: { timeoutMs: 600_000, graceMs: 2000, lineBytes: 524_288, stdoutBytes: 16_777_216 },
    });
    expect(file.commands.get("b")).to.include({ cwd: join(directory.path, "deep") });
  });

  it("may be none", () => {
    const file = readCommandFile("");
    expect(file).to.deep.equal({ ok: true, commands: new Map() });
  });

  it("tells every problem, by its place", () => {
    const problems = problemsOf({
      Bad: { argv: ["a"] },
      empty: { argv: [] },
      shell: { argv: ["a"], shell: true },
      odd: { argv: ["a", "b\0c"], env: { TASKWIRE_ATTEMPT: "7", "A=B": "c" }, limits: { timeoutMs: 99 } },
    });
    const places = problems.map((problem) => problem.split(":")[0]);
    expect(places).to.have.members([
      ...["Bad", "empty.argv", "shell"],
      ...["odd.argv.1", "odd.env.TASKWIRE_ATTEMPT", "odd.env.A=B", "odd.limits.timeoutMs"],
    ]);
  });

  it("has bounds", () => {
    const bounds = { timeoutMs: [100, 86_400_000], graceMs: [0, 60_000], lineBytes: [1024, 4_194_304] };
    for (const [name, [min = 0, max = 0]] of Object.entries({ ...bounds, stdoutBytes: [1024, 1_073_741_824] })) {
      const withLimit = (value: number) => problemsOf({ a: { argv: ["a"], limits: { [name]: value } } });
      expect([...withLimit(min), ...withLimit(max)], name).to.deep.equal([]);
      expect(withLimit(min - 1), name).to.have.lengthOf(1);
      expect(withLimit(max + 1), name).to.have.lengthOf(1);
    }
    const many = (count: number) =>
      Array.from({ length: count }, (_, index) => [`a${index}`, { argv: ["a"] }] as const);
    expect(problemsOf(Object.fromEntries(many(200)))).to.deep.equal([]);
    expect(problemsOf(Object.fromEntries(many(201)))).to.deep.equal(["must have at most 200 commands"]);
    expect(read(" ".repeat(1024 * 1024 + 1))).to.deep.include({ problems: ["it has more than 1048576 bytes"] });
  });

  it("is never quoted", () => {
    expect(read('{"a":{"env":{"KEY":hunter2}}}')).to.deep.equal({ ok: false, problems: ["it is no JSON"] });
  });

  it("is named with its setting when it is missing", () => {
    const commandsFile = join(directory.path, "none.json");
    const [problem] = commandFileProblems({ commandsFile });
    expect(problem).to.match(/^TASKWIRE_COMMANDS_FILE=.*none\.json: ENOENT/);
  });
});
