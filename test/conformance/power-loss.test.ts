import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { expect } from "chai";
import { environment } from "#libs/config/environment.js";
import { TaskState } from "#libs/tasks/task-state.js";
import { SqliteStore } from "#task-service/store/sqlite/sqlite-store.js";
import { eventHash, type AnnouncedEvent, type CommitNews } from "#test/faults/committing-process.js";
import { describeWithFaults } from "#test/faults/describe-with-faults.js";
import { FaultShim } from "#test/faults/fault-shim.js";
import { losePower } from "#test/faults/lose-power.js";
import { Random } from "#test/robustness/random.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { until } from "#test/support/until.js";

const ROUNDS = 3;
/** What SQLite says when an fsync fails. */
const INJECTED = "disk I/O error";

describeWithFaults("SqliteStore: when the power goes (Durable accept)", function () {
  this.timeout(60_000);
  const seed = Number(environment()["TASKWIRE_TEST_SEED"] ?? Date.now() % 1_000_000);
  let directory: ReturnType<typeof freshDirectory>;
  let shim: FaultShim;
  let accepted: string[];
  let completed: string[];
  let announced: AnnouncedEvent[];

  beforeEach(() => {
    directory = freshDirectory();
    const database = join(directory.path, "taskwire.db");
    shim = new FaultShim({ directory: join(directory.path, "faults"), database, keepsShadow: true });
    [accepted, completed, announced] = [[], [], []];
  });

  afterEach(() => {
    shim.close();
    directory.remove();
  });

  /** Lets a process commit, calls `during` in the midst of that, and kills it after `events` more announced events. */
  async function commitUntilKilled(events: number, during: () => Promise<void> = async () => {}): Promise<void> {
    const script = new URL("../faults/committing-process.js", import.meta.url);
    const child = fork(script, [shim.database], { env: { ...environment(), ...shim.env } });
    const gone = once(child, "exit");
    const target = announced.length + events;
    const done = new Promise<void>((resolve, reject) => {
      child.on("message", (message) => {
        const news = message as CommitNews;
        accepted.push(...(news.accepted ?? []));
        completed.push(...(news.completed ?? []));
        announced.push(...(news.events ?? []));
        if (news.refused !== undefined && news.refused !== INJECTED) reject(new Error(`refused: ${news.refused}`));
        if (announced.length >= target) resolve();
      });
    });
    done.catch(() => undefined);
    try {
      await Promise.race([
        Promise.all([during(), done]),
        gone.then(() => Promise.reject(new Error("the process ended by itself"))),
      ]);
    } finally {
      child.kill("SIGKILL");
      await gone;
    }
  }

  /** Expects everything that was acknowledged or announced to be in the database, read by a store that opens it anew. */
  async function expectNothingMissing(): Promise<void> {
    const store = new SqliteStore({ path: shim.database, queueCapacity: 1_000_000 });
    await store.start();
    await store.stop();
    const database = new Sqlite(shim.database, { readonly: true });
    try {
      expect(database.pragma("integrity_check", { simple: true })).to.equal("ok");
      const states = new Map(database.prepare<[], [string, number]>("select id, state from tasks").raw().all());
      expect(
        accepted.filter((id) => !states.has(id)),
        "acknowledged tasks",
      ).to.deep.equal([]);
      expect(
        completed.filter((id) => states.get(id) !== Number(TaskState.COMPLETED)),
        "acknowledged reports",
      ).to.deep.equal([]);
      const select = "select revision, id, task_events.sequence, body from task_events join tasks on key = task_key";
      const events = new Map<number, string>();
      for (const row of database.prepare<[], [number, string, number, Buffer]>(select).raw().iterate()) {
        events.set(row[0], `${row[1]} ${row[2]} ${eventHash(row[3])}`);
      }
      const missing = announced.filter(([revision, ...event]) => events.get(revision) !== event.join(" "));
      expect(missing, "announced events").to.deep.equal([]);
    } finally {
      database.close();
    }
  }

  it(`has every acknowledged task and every announced event, kill after kill (seed ${seed})`, async () => {
    const random = new Random(seed);
    for (let round = 0; round < ROUNDS; round += 1) {
      await commitUntilKilled(random.int(1, 2500));
      losePower(shim);
      await expectNothingMissing();
    }
    expect(completed).to.not.be.empty;
  });

  it(`has them when the disk had written any sectors of the rest (seed ${seed})`, async () => {
    const random = new Random(seed).fork();
    for (let round = 0; round < ROUNDS; round += 1) {
      await commitUntilKilled(random.int(1, 2500));
      const chance = random.next();
      losePower(shim, { survives: () => random.chance(chance) });
      await expectNothingMissing();
    }
  });

  it(`has them when fsyncs had failed before, which loses what they were to sync (seed ${seed})`, async () => {
    const random = new Random(seed).fork().fork();
    await commitUntilKilled(random.int(1000, 2000), async () => {
      for (let failure = 0; failure < 3; failure += 1) {
        const before = announced.length;
        await until("commits go on", () => announced.length > before + 100);
        const faults = shim.faultsGiven;
        shim.setFsyncError(true);
        await until("fsyncs have failed", () => shim.faultsGiven > faults);
        shim.setFsyncError(false);
      }
    });
    losePower(shim);
    await expectNothingMissing();
  });
});
