// Checks the contract: generated code is what proto/ gives, proto/ is linted and formatted, and nothing in it breaks clients of the
// last commit (or, on a branch, of where it left the main line).
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const buf = join(root, "node_modules/.bin/buf");
const GENERATED = "libs/proto/gen";
const folder = mkdtempSync(join(tmpdir(), "taskwire-proto-"));
const problems = [];

function run(command, args) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: "utf8" });
  return { ok: status === 0, text: `${stdout ?? ""}${stderr ?? ""}`.trim() };
}

function check(name, command, args) {
  const { ok, text } = run(command, args);
  if (!ok) problems.push(`${name}:\n${text}`);
}

function filesOf(directory) {
  if (!existsSync(directory)) return new Map();
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  return new Map(paths.map((path) => [relative(directory, path), readFileSync(path)]));
}

function checkGenerated() {
  const { ok, text } = run(process.execPath, ["scripts/generate-proto.mjs", "--output", folder]);
  if (!ok) {
    problems.push(`generate:\n${text}`);
    return;
  }
  const expected = filesOf(join(folder, GENERATED));
  const present = filesOf(join(root, GENERATED));
  const names = [...new Set([...expected.keys(), ...present.keys()])].sort();
  const differing = names.filter((name) => !(expected.has(name) && present.get(name)?.equals(expected.get(name))));
  if (differing.length > 0)
    problems.push(`${GENERATED} is not what proto/ gives (run make proto):\n${differing.join("\n")}`);
}

/** The commit to compare with: where this branch left the main line, else the last commit. */
function baseCommit() {
  const head = run("git", ["rev-parse", "--verify", "HEAD"]);
  if (!head.ok) return undefined;
  for (const branch of ["origin/main", "origin/master", "main", "master"]) {
    const base = run("git", ["merge-base", "HEAD", branch]);
    if (base.ok && base.text !== head.text) return base.text;
  }
  return head.text;
}

function checkBreaking() {
  const commit = baseCommit();
  if (commit === undefined || !run("git", ["cat-file", "-e", `${commit}:proto`]).ok) return;
  const base = join(folder, "base");
  mkdirSync(base);
  const options = { cwd: root, maxBuffer: 64 * 1024 * 1024 };
  const names = execFileSync("git", ["ls-tree", "-r", "--name-only", commit, "proto", "buf.yaml"], options);
  for (const name of names.toString().trim().split("\n")) {
    mkdirSync(join(base, name, ".."), { recursive: true });
    writeFileSync(join(base, name), execFileSync("git", ["show", `${commit}:${name}`], options));
  }
  check("breaking", buf, ["breaking", "--against", base]);
}

try {
  checkGenerated();
  check("lint", buf, ["lint"]);
  check("format", buf, ["format", "--diff", "--exit-code", "--path", "proto/taskwire"]);
  checkBreaking();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (problems.length > 0) {
  console.error(problems.join("\n\n"));
  process.exitCode = 1;
} else {
  console.log("proto: generated code, lint, format and compatibility are in order");
}
