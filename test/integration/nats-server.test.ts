import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect } from "chai";
import { freePort } from "#libs/nats-server/free-port.js";
import { startNatsServer } from "#libs/nats-server/start-nats-server.js";
import { isAlive } from "#test/support/child-processes.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { until } from "#test/support/until.js";

describe("startNatsServer", () => {
  const directory = freshDirectory();
  after(() => {
    directory.remove();
  });

  it("starts servers side by side on free ports and stops them", async () => {
    const servers = await Promise.all(
      ["a", "b", "c"].map((name) => startNatsServer({ storeDir: join(directory.path, name) })),
    );
    expect(new Set(servers.map((server) => server.url)).size).to.equal(3);
    await Promise.all(servers.map((server) => server.stop()));
    for (const server of servers) expect(await isAlive(server.pid)).to.equal(false);
  });

  it("may be stopped twice, also after a kill", async () => {
    const server = await startNatsServer({ storeDir: join(directory.path, "twice") });
    await server.kill();
    await server.stop();
    await server.stop();
  });

  it("says how it ended when nobody told it to", async () => {
    const server = await startNatsServer({ storeDir: join(directory.path, "ended") });
    process.kill(server.pid, "SIGKILL");
    expect(await server.exited).to.equal("SIGKILL");
    const other = await startNatsServer({ storeDir: join(directory.path, "ended") });
    process.kill(other.pid, "SIGTERM");
    expect(await other.exited).to.match(/^exit code \d+$/);
  });

  it("says so when the wanted port is taken", async () => {
    const port = await freePort();
    const squatter = createServer().listen(port, "127.0.0.1");
    await once(squatter, "listening");
    const error = await rejectionOf(startNatsServer({ storeDir: join(directory.path, "taken"), port }));
    expect(error.message).to.equal(`nats-server: port ${port} is taken`);
    squatter.close();
  });

  it("does not take another nats-server on the wanted port for its own", async () => {
    const first = await startNatsServer({ storeDir: join(directory.path, "first") });
    const error = await rejectionOf(startNatsServer({ storeDir: join(directory.path, "second"), port: first.port }));
    expect(error.message).to.include("is taken");
    await first.stop();
  });

  it("does not outlive a killed parent", async () => {
    const moduleUrl = new URL("../../libs/nats-server/start-nats-server.js", import.meta.url).href;
    const script = `
      import { startNatsServer } from ${JSON.stringify(moduleUrl)};
      const server = await startNatsServer({ storeDir: ${JSON.stringify(join(directory.path, "orphan"))} });
      process.stdout.write(String(server.pid) + "\\n");`;
    const parent = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = (await once(parent.stdout, "data")) as [Buffer];
    const pid = Number(line.toString());
    expect(await isAlive(pid)).to.equal(true);
    parent.kill("SIGKILL");
    await until("the nats-server is gone", async () => !(await isAlive(pid)));
  });
});
