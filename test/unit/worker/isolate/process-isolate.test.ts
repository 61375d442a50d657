import { getPriority } from "node:os";
import { expect } from "chai";
import { MemoryWatch } from "#worker/isolate/memory-watch.js";
import { begin, MIB, outcomeOf, processIsolate } from "#test/fixtures/tasks/fixture-isolates.js";
import { isAlive } from "#test/support/child-processes.js";
import { until } from "#test/support/until.js";

/** Knows how many processes are watched. */
class CountedWatch extends MemoryWatch {
  open = 0;

  override watch(pid: number, maxBytes: number, onExceeded: () => void): () => void {
    const end = super.watch(pid, maxBytes, onExceeded);
    this.open += 1;
    return () => {
      this.open -= 1;
      end();
    };
  }
}

describe("a process isolate", () => {
  it("holds a handler to its heap cap", async () => {
    const isolate = await processIsolate(48 * MIB);
    expect(await outcomeOf(isolate, "eat-heap")).to.deep.include({ kind: "died", cause: "out-of-memory" });
    await isolate.close();
  }).timeout(30_000);

  it("counts Buffers", async () => {
    const isolate = await processIsolate(64 * MIB);
    expect(await outcomeOf(isolate, "eat-buffers")).to.deep.include({ kind: "died", cause: "out-of-memory" });
    await isolate.close();
  });

  it("watches no memory for an attempt that could not begin", async () => {
    const watch = new CountedWatch();
    const isolate = await processIsolate(256 * MIB, 8000, watch);
    const { outcome } = begin(isolate, "sleep", { ms: 20 });
    expect(watch.open).to.equal(1);
    await outcome;
    expect(watch.open).to.equal(0);
    await isolate.close();
    expect(() => begin(isolate, "sleep")).to.throw("cannot take an attempt");
    expect(watch.open).to.equal(0);
  });

  it("goes on watching the memory of an attempt when another one could not begin beside it", async () => {
    const isolate = await processIsolate(64 * MIB);
    const { outcome } = begin(isolate, "eat-buffers");
    expect(() => begin(isolate, "sleep")).to.throw("cannot take an attempt");
    expect(await outcome).to.deep.include({ kind: "died", cause: "out-of-memory" });
    await isolate.close();
  });

  it("runs at a lower priority", async () => {
    const isolate = await processIsolate();
    expect(getPriority(isolate.pid)).to.equal(10);
    await isolate.close();
  });

  it("leaves no process behind", async () => {
    const isolate = await processIsolate();
    const pid = isolate.pid ?? 0;
    begin(isolate, "spin");
    await isolate.close();
    expect(await isAlive(pid)).to.equal(false);
  });

  it("ignores the terminal's Ctrl-C", async () => {
    const isolate = await processIsolate();
    const { outcome } = begin(isolate, "sleep", { ms: 200 });
    process.kill(isolate.pid ?? 0, "SIGINT");
    process.kill(isolate.pid ?? 0, "SIGTERM");
    expect(await outcome).to.deep.include({ kind: "succeeded" });
    await isolate.close();
  });

  it("does not believe a handler that forges messages", async () => {
    const isolate = await processIsolate();
    const { outcome, logs, aborts } = begin(isolate, "forger");
    expect(await outcome).to.deep.include({ kind: "succeeded", resultJson: '"honest"' });
    expect(logs).to.deep.equal([]);
    expect(aborts).to.deep.equal([]);
    await isolate.close();
  });

  for (const exits of [false, true]) {
    it(`takes with it what its handler has started (${exits ? "when it exits" : "when it is killed"})`, async () => {
      const isolate = await processIsolate();
      const { run, outcome, progress } = begin(isolate, "parent", { exits });
      const started = await until("the handler has started a process", () => progress[0]?.current);
      // One that exits may be gone by now, and with it what it has started.
      if (!exits) {
        expect(await isAlive(started)).to.equal(true);
        run.kill();
      }
      expect(await outcome).to.include({ kind: "died", cause: exits ? "crashed" : "killed" });
      await until("it is gone", async () => !(await isAlive(started)));
      await isolate.close();
    });
  }

  it("tells a kill from outside, by the system's for want of memory perhaps, as a crash by that signal", async () => {
    const isolate = await processIsolate();
    const { outcome, progress } = begin(isolate, "spin");
    await until("the handler spins", () => progress.length > 0);
    process.kill(isolate.pid ?? 0, "SIGKILL");
    expect(await outcome).to.include({ kind: "died", cause: "crashed", signal: "SIGKILL", exitCode: undefined });
    await isolate.close();
  });

  it("does not take a handler's word for it that memory ran out", async () => {
    const isolate = await processIsolate();
    expect(await outcomeOf(isolate, "crash", { code: 3, words: "heap out of memory" })).to.deep.include({
      cause: "crashed",
      stderrTail: "heap out of memory",
    });
    await isolate.close();
  });

  it("keeps the last words of a crash", async () => {
    const isolate = await processIsolate();
    expect(await outcomeOf(isolate, "crash", { code: 1 })).to.deep.include({ stderrTail: "last words" });
    await isolate.close();
  });
});
