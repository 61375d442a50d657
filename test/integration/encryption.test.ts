import { randomBytes } from "node:crypto";
import { expect } from "chai";
import { connect, type NatsConnection } from "nats";
import { TaskState, type TaskEvent } from "#libs/client/taskwire-client.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { filesWith } from "#test/support/find-in-files.js";
import { endOf, historyOf, valuesOf } from "#test/support/follow-task.js";
import { logLines } from "#test/support/log-lines.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";

const KEY = randomBytes(32).toString("hex");
const SAYINGS = ["payload", "result", "output", "log", "field"];

/** A stack that ran a task whose secret word nobody else knows, and everything that went over its NATS meanwhile. */
class Overheard {
  readonly word = randomBytes(16).toString("hex");
  readonly #wire: Buffer[] = [];
  #test: TestStack | undefined;
  #nats: NatsConnection | undefined;
  events: readonly TaskEvent[] = [];
  taskId = "";
  rejectedId = "";

  get test(): TestStack {
    if (this.#test === undefined) throw new Error("not started");
    return this.#test;
  }

  async start(env: Readonly<Record<string, string>>): Promise<void> {
    const modules = ["secret-tasks.js", "process-tasks.js"].flatMap((name) => ["--tasks", fixturePath(name)]);
    this.#test = await startTestStack({ serviceEnv: env, workerEnv: env, workerArgs: modules });
    const { client, stack } = this.#test;
    this.#nats = await connect({ servers: stack.natsUrl });
    this.#nats.subscribe(">", { callback: (_error, message) => this.#wire.push(Buffer.from(message.data)) });
    await this.#nats.flush();
    const payload = { word: this.word, saying: `payload-${this.word}` };
    this.taskId = (await client.create("secret.tell", payload)).id;
    this.events = await historyOf(client, this.taskId);
    this.rejectedId = (await client.create("process.typed", { count: `payload-${this.word}` })).id;
    await endOf(client, this.rejectedId);
  }

  /** What of the handler's sayings a listener on NATS has heard. */
  heard(): string[] {
    const wire = Buffer.concat(this.#wire);
    return SAYINGS.filter((saying) => wire.includes(`${saying}-${this.word}`));
  }

  /** What of them is in files, by file. */
  written(): [string, string][] {
    const { dataDir } = this.test;
    return SAYINGS.flatMap((saying) =>
      filesWith(dataDir, `${saying}-${this.word}`).map((path): [string, string] => [saying, path]),
    );
  }

  async stop(): Promise<void> {
    await this.#nats?.close();
    await this.#test?.stop();
  }
}

describe("With an encryption key, secrets are in no file, on no wire and in no log line", function () {
  this.timeout(90_000);
  const sealed = new Overheard();

  before(() => sealed.start({ ENCRYPTION_KEY: KEY, NODE_ENV: "production" }));
  after(() => sealed.stop());

  it("lets clients read everything as ever", async () => {
    const { client } = sealed.test;
    const task = await client.get(sealed.taskId);
    expect(task.state).to.equal(TaskState.COMPLETED);
    expect(task.payload).to.deep.equal({ word: sealed.word, saying: `payload-${sealed.word}` });
    expect(task.result).to.deep.equal({ told: `result-${sealed.word}` });
    for (const events of [sealed.events, await historyOf(client, sealed.taskId)]) {
      expect(valuesOf(events, "log")[0]).to.deep.include({ message: `log-${sealed.word}` });
      expect(valuesOf(events, "output")[0]).to.deep.include({ text: `output-${sealed.word}` });
      expect(valuesOf(events, "completed")[0]?.result).to.deep.equal({ told: `result-${sealed.word}` });
    }
  });

  it("writes no payload, result, output or log line to the database, to NATS' files or to a log", () => {
    expect(sealed.written()).to.deep.equal([]);
  });

  it("sends none of them over NATS", () => {
    expect(sealed.heard()).to.deep.equal([]);
  });

  it("does not write the key anywhere, nor show it to handlers", async () => {
    const { client, dataDir } = sealed.test;
    for (const form of [KEY, KEY.slice(0, 16), KEY.toUpperCase()]) expect(filesWith(dataDir, form)).to.deep.equal([]);
    for (const type of ["secret.look", "secret.look-in-thread"]) {
      const { id } = await client.create(type, {});
      expect((await endOf(client, id)).result, type).to.deep.equal([]);
    }
  });

  it("says why a payload was rejected without quoting it", async () => {
    const { error } = await sealed.test.client.get(sealed.rejectedId);
    expect(error?.code).to.equal("PAYLOAD_REJECTED");
    expect(JSON.stringify(error)).to.contain("count").and.not.to.contain(sealed.word);
  });

  it("says nothing of encryption in the log where all is well", () => {
    for (const name of ["task-service", "worker-1"])
      expect(logLines(sealed.test.dataDir, name).filter(({ msg }) => msg?.includes("encryption"))).to.deep.equal([]);
  });
});

describe("Without an encryption key", function () {
  this.timeout(90_000);
  const plain = new Overheard();

  before(() => plain.start({}));
  after(() => plain.stop());

  it("each of the same secrets can be found, so the search for them means something", () => {
    const sayings = new Set(
      plain.written().flatMap(([saying, path]) => (path.startsWith("taskwire.db") ? [saying] : [])),
    );
    expect([...sayings]).to.have.members(SAYINGS);
    expect(plain.heard()).to.deep.equal(SAYINGS);
  });

  it("they are in no log all the same", () => {
    expect(plain.written().filter(([, path]) => path.startsWith("logs"))).to.deep.equal([]);
  });

  it("one line of each log warns", () => {
    for (const name of ["task-service", "worker-1"]) {
      const warnings = logLines(plain.test.dataDir, name).filter(({ msg }) => msg?.includes("encryption"));
      expect(warnings, name).to.have.length(1);
      expect(warnings[0]?.["warning"]).to.contain("ENCRYPTION_KEY is missing").and.to.contain("openssl rand -hex 32");
    }
  });
});
