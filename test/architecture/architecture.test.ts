import { expect } from "chai";
import { findCycles } from "#test/architecture/find-cycles.js";
import { sourceFiles, type SourceFile } from "#test/architecture/source-files.js";

const MAX_LINES = 300;
const REFUSED_FOLDERS = ["utils", "util", "helpers", "common", "types", "models", "shared", "misc", "lib"];

/** Which files may import what only one place is to know. */
const DOORS: Readonly<Record<string, readonly string[]>> = {
  "@grpc/grpc-js": ["libs/rpc/"],
  nats: ["libs/bus/"],
  kysely: ["services/task-service/store/"],
  "prom-client": ["libs/metrics/"],
  "better-sqlite3": ["services/task-service/store/"],
  // The browser that takes pictures is a program of its own.
  "node:child_process": [
    "services/worker/isolate/",
    "services/worker/handlers/command-run/",
    "services/worker/handlers/resume-process/take-picture.ts",
    "libs/leash/",
    "libs/nats-server/",
    "cli/",
  ],
};

/** The folders of libs, and which others of them each may import; see docs/architecture.md. */
const LIBS: Readonly<Record<string, readonly string[]>> = {
  proto: [],
  errors: [],
  async: [],
  tasks: ["errors"],
  log: [],
  service: ["log"],
  sealing: ["errors"],
  config: ["log", "sealing"],
  metrics: ["errors", "log"],
  rpc: ["errors", "log", "service", "proto", "async"],
  bus: ["errors", "log", "service", "proto", "async"],
  "define-task": ["errors", "tasks"],
  attempts: ["errors", "tasks", "define-task"],
  testing: ["errors", "tasks", "define-task", "attempts"],
  client: ["rpc", "errors", "proto", "async", "tasks"],
  leash: [],
  "nats-server": ["async", "config", "errors", "leash"],
};

/** What of the services the command line may know: their composition roots and their settings. */
const SERVICE_FRONTS = [
  "services/task-service/task-service.ts",
  "services/task-service/settings.ts",
  "services/task-service/verify.ts",
  "services/task-service/database-facts.ts",
  "services/worker/worker.ts",
  "services/worker/settings.ts",
];

describe("The architecture", () => {
  const files = sourceFiles();
  const shipped = files.filter((file) => !file.path.startsWith("test/"));

  it("sees the project's files and what they import", () => {
    const program = files.find((file) => file.path === "cli/program.ts");
    expect(program?.imports).to.include.members(["commander", "node:fs", "cli/commands/run.ts"]);
    const serve = files.find((file) => file.path === "cli/commands/serve.ts");
    expect(serve?.imports, "dynamic imports").to.include("services/task-service/task-service.ts");
  });

  it("keeps libs free of services, the command line and tests", () => {
    expect(violations(shipped, "libs/", (target) => /^(services|cli|test)\//.test(target))).to.deep.equal([]);
  });

  it("keeps the folders of libs to their layers", () => {
    const wrong = shipped.flatMap((file) => {
      const from = /^libs\/([^/]+)\//.exec(file.path)?.[1];
      if (from === undefined) return [];
      return file.imports
        .map((target) => /^libs\/([^/]+)\//.exec(target)?.[1])
        .filter((to) => to !== undefined && to !== from && LIBS[from]?.includes(to) !== true)
        .map((to) => `${file.path} imports libs/${to}`);
    });
    expect(wrong).to.deep.equal([]);
  });

  it("keeps the services apart from each other, from the command line and from tests", () => {
    const service = violations(shipped, "services/task-service/", (target) =>
      /^(services\/worker|cli|test)\//.test(target),
    );
    const worker = violations(shipped, "services/worker/", (target) =>
      /^(services\/task-service|cli|test)\//.test(target),
    );
    expect([...service, ...worker]).to.deep.equal([]);
  });

  it("lets the command line know only the composition roots and settings of the services", () => {
    const isInside = (target: string) => target.startsWith("services/") && !SERVICE_FRONTS.includes(target);
    expect(violations(shipped, "cli/", (target) => isInside(target) || target.startsWith("test/"))).to.deep.equal([]);
  });

  it("opens each door in one place", () => {
    const wrong = Object.entries(DOORS).flatMap(([name, places]) =>
      shipped
        .filter((file) => file.imports.includes(name) && !places.some((place) => file.path.startsWith(place)))
        .map((file) => `${file.path} imports ${name}`),
    );
    expect(wrong).to.deep.equal([]);
  });

  it("reads process.env only in libs/config/environment.ts", () => {
    const readers = files.filter((file) =>
      /\bprocess\s*\.\s*env\b|\{[^}]*\benv\b[^}]*\}\s*=\s*process\b/.test(codeOf(file)),
    );
    expect(readers.map((file) => file.path)).to.deep.equal(["libs/config/environment.ts"]);
  });

  it("has no import cycles, type-only imports counted", () => {
    const graph = new Map(files.map((file) => [file.path, file.imports]));
    expect(findCycles(graph).map((cycle) => cycle.join(" → "))).to.deep.equal([]);
  });

  it("has no barrels", () => {
    const barrels = files.filter((file) => file.path.endsWith("/index.ts") || file.hasStarExport);
    expect(barrels.map((file) => file.path)).to.deep.equal([]);
  });

  it("imports only files that exist", () => {
    const known = new Set(files.map((file) => file.path));
    const wrong = files.flatMap((file) =>
      file.imports
        .filter(
          (target) =>
            /^(libs|services|cli|test)\//.test(target) && !target.startsWith("libs/proto/gen/") && !known.has(target),
        )
        .map((target) => `${file.path} imports ${target}`),
    );
    expect(wrong).to.deep.equal([]);
  });

  it(`keeps every file to ${MAX_LINES} lines`, () => {
    const long = files.filter((file) => file.text.trimEnd().split("\n").length > MAX_LINES);
    expect(long.map((file) => file.path)).to.deep.equal([]);
  });

  it("names folders after roles, not kinds, and files in kebab-case", () => {
    const wrong = files.filter(({ path }) => {
      const parts = path.split("/");
      const name = parts.pop() ?? "";
      return (
        parts.some((part) => REFUSED_FOLDERS.includes(part)) || !/^[a-z0-9]+(-[a-z0-9]+)*(\.test|\.d)?\.ts$/.test(name)
      );
    });
    expect(wrong.map((file) => file.path)).to.deep.equal([]);
  });
});

function violations(files: readonly SourceFile[], room: string, isForbidden: (target: string) => boolean): string[] {
  return files
    .filter((file) => file.path.startsWith(room))
    .flatMap((file) => file.imports.filter(isForbidden).map((target) => `${file.path} imports ${target}`));
}

/** The text without comments and string literals, as far as that matters here. */
function codeOf(file: SourceFile): string {
  return file.text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, "").replace(/"(?:[^"\\\n]|\\.)*"/g, '""');
}
