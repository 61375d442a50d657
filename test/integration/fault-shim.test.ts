import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { expect } from "chai";
import { z } from "zod";
import { describeWithFaults } from "#test/faults/describe-with-faults.js";
import { FaultShim } from "#test/faults/fault-shim.js";
import { losePower } from "#test/faults/lose-power.js";
import { Random } from "#test/robustness/random.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { until } from "#test/support/until.js";
import { environment } from "#libs/config/environment.js";

const COMMITS = 200;
const HOUR_MS = 3_600_000;
const CLOCKS = z.object({ nowMs: z.number(), newMs: z.number(), monotonicMs: z.number() });

describeWithFaults("The fault shim", function () {
  this.timeout(30_000);
  let directory: ReturnType<typeof freshDirectory>;
  let shim: FaultShim;
  const children: ChildProcess[] = [];

  beforeEach(() => {
    directory = freshDirectory();
    const database = join(directory.path, "plain.db");
    shim = new FaultShim({ directory: join(directory.path, "faults"), database, keepsShadow: true });
  });

  afterEach(async () => {
    for (const child of children.splice(0)) await kill(child);
    shim.close();
    directory.remove();
  });

  const start = (script: string, ...args: string[]) => {
    const url = new URL(`../faults/${script}.js`, import.meta.url);
    const child = fork(url, args, { env: { ...environment(), ...shim.env } });
    children.push(child);
    return child;
  };

  async function kill(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }

  /** Lets a process commit rows, kills it and loses the power; which rows were acknowledged, and which of them are left. */
  async function commitAndLosePower(synchronous: string, survives?: () => boolean) {
    const acknowledged: number[] = [];
    const child = start("inserting-process", shim.database, synchronous);
    child.on("message", (message) => acknowledged.push(z.number().parse(message)));
    await until("rows are acknowledged", () => acknowledged.length >= COMMITS);
    await kill(child);
    const before = rowsOf(shim.database);
    losePower(shim, survives === undefined ? {} : { survives });
    return { acknowledged, before, left: rowsOf(shim.database) };
  }

  function rowsOf(path: string): number[] {
    const database = new Sqlite(path);
    try {
      expect(database.pragma("integrity_check", { simple: true })).to.equal("ok");
      return database.prepare<[], number>("select number from rows order by number").pluck().all();
    } finally {
      database.close();
    }
  }

  for (const synchronous of ["OFF", "NORMAL"]) {
    it(`truly loses what was not synced: with synchronous=${synchronous} acknowledged commits are gone`, async () => {
      const { acknowledged, before, left } = await commitAndLosePower(synchronous);
      expect(before, "in the files themselves").to.include.members(acknowledged);
      expect(left).to.have.length.below(acknowledged.length);
    });
  }

  it("keeps what was synced: with synchronous=FULL no acknowledged commit is gone", async () => {
    const { acknowledged, left } = await commitAndLosePower("FULL");
    expect(left).to.include.members(acknowledged);
  });

  it("may keep some sectors of what was not synced, or all of them", async () => {
    const random = new Random(7);
    const { acknowledged, left } = await commitAndLosePower("OFF", () => random.chance(0.99));
    expect(left, "when a hundredth is lost").to.have.length.below(acknowledged.length);
    const all = await commitAndLosePower("OFF", () => true);
    expect(all.left, "when every sector survives").to.include.members(all.acknowledged);
  });

  it("moves the wall clock of a process, Date.now() included, and leaves the monotonic one", async () => {
    const child = start("clock-process");
    const ask = async () => {
      const startMs = Date.now();
      child.send("");
      const [answer] = (await once(child, "message")) as unknown[];
      return { startMs, ...CLOCKS.parse(answer), endMs: Date.now() };
    };
    const first = await ask();
    for (const offsetMs of [HOUR_MS, -HOUR_MS - 1234, 0]) {
      shim.setClockOffsetMs(offsetMs);
      const { startMs, nowMs, newMs, monotonicMs, endMs } = await ask();
      for (const clock of [nowMs, newMs]) expect(clock - offsetMs).to.be.within(startMs - 1, endMs + 1);
      expect(monotonicMs - first.monotonicMs).to.be.within(0, endMs - first.startMs + 1);
    }
  });
});
