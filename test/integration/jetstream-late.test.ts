import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect } from "chai";
import { z } from "zod";
import { TaskState, TaskwireClient } from "#libs/client/taskwire-client.js";
import { environment } from "#libs/config/environment.js";
import { findNatsServer } from "#libs/nats-server/find-nats-server.js";
import { freePort } from "#libs/nats-server/free-port.js";
import { startNatsServer, type NatsServer } from "#libs/nats-server/start-nats-server.js";
import { ChildService } from "#cli/stack/child-service.js";
import { reasonsOf } from "#test/support/explained.js";
import { endOf } from "#test/support/follow-task.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { logLines } from "#test/support/log-lines.js";
import { until } from "#test/support/until.js";

const CONNECTIONS = z.object({ connections: z.array(z.object({ name: z.string() })) });

describe("When NATS runs without JetStream at first", function () {
  this.timeout(60_000);
  const directory = freshDirectory();
  const stops: (() => Promise<unknown>)[] = [];

  after(async () => {
    for (const stop of stops.reverse()) await stop();
    directory.remove();
  });

  it("the service accepts tasks, says that it is starting, keeps to one connection, and lets work flow once JetStream is there", async () => {
    const [port, monitorPort] = [await freePort(), await freePort()];
    const env = {
      PATH: environment()["PATH"],
      TASKWIRE_NATS_URL: `nats://127.0.0.1:${port}`,
      TASKWIRE_DATABASE: join(directory.path, "taskwire.db"),
      TASKWIRE_HTTP_PORT: "-1",
    };
    const bare = await startBareNats(port, monitorPort);
    stops.push(() => end(bare));
    const child = (name: string, args: readonly string[]) =>
      new ChildService({ name, args: () => args, env, logFile: join(directory.path, "logs", `${name}.log`) });
    const service = child("task-service", ["serve", "--grpc-port", "0"]);
    stops.push(() => service.stop());
    await service.start();
    const client = new TaskwireClient({ address: `127.0.0.1:${service.ready.grpcPort}` });
    stops.push(() => Promise.resolve(client.close()));

    const { id } = await client.create("system.health_check");
    await until("the service has tried three times", () => {
      const tries = logLines(directory.path, "task-service").filter((line) => line.msg?.startsWith("work cannot flow"));
      return tries.length >= 3;
    });
    expect(await connectionNames(monitorPort)).to.deep.equal(["taskwire task-service"]);
    expect(reasonsOf(await client.explain(id))).to.deep.equal(["serviceStarting", "inLine"]);

    await end(bare);
    const full: NatsServer = await startNatsServer({ storeDir: join(directory.path, "nats"), port });
    stops.push(() => full.stop());
    const worker = child("worker", ["work"]);
    stops.push(() => worker.stop());
    await worker.start();
    expect((await endOf(client, id)).state).to.equal(TaskState.COMPLETED);
  });
});

async function startBareNats(port: number, monitorPort: number): Promise<ChildProcess> {
  const { TASKWIRE_NATS_SERVER: named, PATH: path } = environment();
  const binary = await findNatsServer({ named, path });
  const args = ["--addr", "127.0.0.1", "--port", String(port), "--http_port", String(monitorPort)];
  const server = spawn(binary, args, { stdio: "ignore" });
  await until("nats-server answers", () => connectionNames(monitorPort).catch(() => undefined));
  return server;
}

async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const exited = once(server, "exit");
  server.kill("SIGKILL");
  await exited;
}

async function connectionNames(monitorPort: number): Promise<string[]> {
  const answer = await fetch(`http://127.0.0.1:${monitorPort}/connz`);
  return CONNECTIONS.parse(await answer.json()).connections.map(({ name }) => name);
}
