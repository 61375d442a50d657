import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { parse } from "yaml";
import { z } from "zod";
import { readSettings, type Schema } from "#libs/config/settings.js";
import { encryptionProblems } from "#libs/config/encryption.js";
import { clientSettings } from "#cli/client-settings.js";
import { buildProgram } from "#cli/program.js";
import { taskServiceSettings } from "#task-service/settings.js";
import { PROJECT } from "#test/architecture/source-files.js";
import { workerSettingsSchema } from "#worker/settings.js";

const SERVICE = z.object({
  build: z.object({ context: z.literal("."), target: z.string() }),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).default({}),
  depends_on: z.record(z.string(), z.object({ condition: z.literal("service_healthy") })).default({}),
  volumes: z.array(z.string()).min(1),
  ports: z.array(z.string()).default([]),
  healthcheck: z.object({
    test: z.array(z.string()).min(2),
    interval: z.string(),
    timeout: z.string(),
    retries: z.number(),
  }),
  read_only: z.literal(true),
  cap_drop: z.tuple([z.literal("ALL")]),
  restart: z.literal("unless-stopped"),
});
const COMPOSE = z.object({ services: z.record(z.string(), SERVICE), volumes: z.record(z.string(), z.null()) });

/** Which settings a service of the compose file reads, by the command it runs. */
const SCHEMAS: Readonly<Record<string, Schema>> = {
  serve: { ...taskServiceSettings, ...clientSettings },
  work: { ...workerSettingsSchema, ...clientSettings },
};

const ENCRYPTION = z.object({
  encryptionKey: z.string(),
  encryptionOldKeys: z.string(),
  encryption: z.enum(["on", "off", "auto"]),
  environment: z.string(),
});

/** What compose makes of `${NAME:-default}` where nobody has set anything. */
const byDefault = (value: string) => value.replaceAll(/\$\{[A-Z_]+:-([^}]*)\}/g, "$1");
const read = (name: string) => readFileSync(join(PROJECT, name), "utf8");

describe("docker-compose.yml", () => {
  const compose = COMPOSE.parse(parse(read("docker-compose.yml"), { merge: true }));
  const services = Object.entries(compose.services);

  it("holds NATS, the task-service and a worker, each with a health check, a volume and no rights it does not need", () => {
    // What each must have is said by the schema above.
    expect(services.map(([name]) => name)).to.deep.equal(["nats", "task-service", "worker"]);
  });

  it("sets only settings that exist, to values that are allowed", () => {
    for (const [name, service] of services) {
      const schema = SCHEMAS[service.command?.[0] ?? ""];
      if (schema === undefined) continue;
      const known = Object.values(schema).map((setting) => setting.env);
      expect(known, name).to.include.members(Object.keys(service.environment));
      const env = Object.fromEntries(
        Object.entries(service.environment).map(([key, value]) => [key, byDefault(value)]),
      );
      readSettings(schema, { env }, (settings) => encryptionProblems(ENCRYPTION.parse(settings)));
    }
  });

  it("runs commands and health checks that the command line has", () => {
    const commands = buildProgram().commands.map((command) => command.name());
    for (const [name, { command, healthcheck }] of services) {
      if (command !== undefined) expect(commands, name).to.include(command[0]);
      const asked = healthcheck.test.join(" ").match(/taskwire ([a-z]+)/)?.[1];
      if (asked !== undefined) expect(commands, name).to.include(asked);
    }
  });

  it("names only services, volumes and build stages that exist", () => {
    const stages = [...read("Dockerfile").matchAll(/^FROM \S+ AS (\S+)$/gm)].map((match) => match[1]);
    for (const [name, service] of services) {
      expect(Object.keys(compose.services), name).to.include.members(Object.keys(service.depends_on));
      expect(Object.keys(compose.volumes), name).to.include.members(
        service.volumes.map((volume) => volume.split(":")[0]),
      );
      expect(stages, name).to.include(service.build.target);
    }
  });

  it("opens ports to this machine only", () => {
    for (const [, service] of services) for (const port of service.ports) expect(port).to.match(/^127\.0\.0\.1:/);
  });
});

describe("Dockerfile", () => {
  const stages = read("Dockerfile")
    .split(/^(?=FROM )/m)
    .slice(1);

  it("runs no final image as root", () => {
    for (const stage of stages.slice(1)) expect(stage).to.match(/^USER (node|1000:1000)$/m);
  });

  it("pins a version of every base image", () => {
    for (const stage of stages) expect(stage).to.match(/^FROM [a-z]+:\d+[\w.-]* AS /);
  });

  it("copies only what exists and what .dockerignore lets through", () => {
    const allowed = read(".dockerignore")
      .split("\n")
      .filter((line) => line.startsWith("!"))
      .map((line) => line.slice(1));
    const copied = [...read("Dockerfile").matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap((match) =>
      (match[1] ?? "").split(" "),
    );
    expect(copied).to.have.members(allowed);
    for (const path of copied) expect(existsSync(join(PROJECT, path)), path).to.equal(true);
  });

  it("compiles what the images run, tests apart", () => {
    const roots = ["libs", "services", "cli"];
    for (const root of roots) expect(stages[0]).to.include(`COPY ${root} ./${root}`);
    expect(stages[0]).not.to.include("COPY test");
  });
});
