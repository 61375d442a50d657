import { spawn, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { connect } from "node:net";
import { delay } from "#libs/async/delay.js";
import { environment } from "#libs/config/environment.js";
import { findNatsServer } from "#libs/nats-server/find-nats-server.js";
import { freePort } from "#libs/nats-server/free-port.js";
import { createLeash } from "#libs/leash/leash.js";

/** How a nats-server is started. */
export interface NatsServerOptions {
  /** Where JetStream keeps its streams; made if missing. */
  readonly storeDir: string;
  /** Default 0: a free one. */
  readonly port?: number;
  /** The server's log; default: none is kept. */
  readonly logFile?: string;
  /** The nats-server to run; default: the one that {@link findNatsServer} finds. */
  readonly binary?: string;
  /** How long to wait until it answers, in milliseconds; default 15,000. */
  readonly timeoutMs?: number;
}

/** A running nats-server. */
export interface NatsServer {
  /** `nats://127.0.0.1:PORT` */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Resolves when it is gone, whoever ended it, with how: `exit code 1`, `SIGKILL`. */
  readonly exited: Promise<string>;
  /** Ends it in order (SIGTERM, after five seconds SIGKILL). May be called more than once. */
  stop(): Promise<void>;
  /** Ends it at once (SIGKILL). */
  kill(): Promise<void>;
}

const ATTEMPTS = 5;
const POLL_MS = 20;
const STOP_GRACE_MS = 5000;
const KEPT_OUTPUT = 4000;

class PortTaken extends Error {}

/**
 * Starts a nats-server with JetStream on the loopback interface and returns when it answers. It dies with this process, even when that is
 * killed. Throws when no binary is found or when it does not come up; the message holds the server's last words.
 */
export async function startNatsServer(options: NatsServerOptions): Promise<NatsServer> {
  const { TASKWIRE_NATS_SERVER: named, PATH: path } = environment();
  const binary = options.binary ?? (await findNatsServer({ named, path }));
  await mkdir(options.storeDir, { recursive: true });
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? 0;
    try {
      return await startOn(binary, port === 0 ? await freePort() : port, options);
    } catch (error) {
      if (!(error instanceof PortTaken) || port !== 0 || attempt === ATTEMPTS) throw error;
    }
  }
}

async function startOn(binary: string, port: number, options: NatsServerOptions): Promise<NatsServer> {
  const name = `taskwire-${randomUUID()}`;
  const leash = createLeash();
  const server = spawn(
    binary,
    ["--jetstream", "--store_dir", options.storeDir, "--addr", "127.0.0.1", "--port", String(port), "--name", name],
    { stdio: ["ignore", "ignore", "pipe"], detached: true },
  );
  if (server.pid !== undefined) leash.hold(server.pid);
  if (options.logFile !== undefined) server.stderr.pipe(createWriteStream(options.logFile, { flags: "a" }));
  let output = "";
  server.stderr.setEncoding("utf8").on("data", (text: string) => {
    output = (output + text).slice(-KEPT_OUTPUT);
  });
  const exited = new Promise<string>((resolve) => {
    const gone = (how: string) => {
      leash.release();
      resolve(how);
    };
    server.once("error", (error) => {
      output += error.message;
      gone(error.message);
    });
    server.once("close", (code, signal) => {
      gone(signal ?? `exit code ${code}`);
    });
  });
  await untilReady(server, { port, name }, options.timeoutMs ?? 15_000).catch(async (error: unknown) => {
    await kill(server, exited);
    if (output.includes("address already in use")) throw new PortTaken(`nats-server: port ${port} is taken`);
    throw new Error(`nats-server did not come up on port ${port}: ${output.trim() || String(error)}`, { cause: error });
  });
  if (server.pid === undefined) throw new Error("nats-server has no process id");
  return {
    url: `nats://127.0.0.1:${port}`,
    port,
    pid: server.pid,
    exited,
    stop: () => stop(server, exited),
    kill: () => kill(server, exited),
  };
}

async function untilReady(
  server: ChildProcess,
  expected: { port: number; name: string },
  timeoutMs: number,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (server.exitCode === null && server.signalCode === null && server.pid !== undefined) {
    if (await greets(expected.port, expected.name)) return;
    if (Date.now() > deadline) throw new Error(`no answer within ${timeoutMs} ms`);
    await delay(POLL_MS);
  }
  throw new Error(`it ended with ${server.signalCode ?? `code ${server.exitCode}`}`);
}

/** Whether the server of this name, and not another one on its port, says hello with JetStream. */
function greets(port: number, name: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    const answer = (ready: boolean) => {
      socket.destroy();
      resolve(ready);
    };
    socket.setTimeout(1000, () => {
      answer(false);
    });
    socket.once("error", () => {
      answer(false);
    });
    socket.once("data", (data) => {
      const hello = data.toString("utf8");
      answer(hello.includes('"jetstream":true') && hello.includes(`"server_name":"${name}"`));
    });
  });
}

async function stop(server: ChildProcess, exited: Promise<unknown>): Promise<void> {
  server.kill("SIGTERM");
  const force = setTimeout(() => server.kill("SIGKILL"), STOP_GRACE_MS);
  await exited;
  clearTimeout(force);
}

async function kill(server: ChildProcess, exited: Promise<unknown>): Promise<void> {
  server.kill("SIGKILL");
  await exited;
}
