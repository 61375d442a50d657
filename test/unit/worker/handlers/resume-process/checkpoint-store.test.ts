import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { z } from "zod";
import { KeyRing } from "#libs/sealing/key-ring.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { CheckpointStore, removeStaleCheckpoints } from "#worker/handlers/resume-process/checkpoint-store.js";

const TASK_ID = "0199aaaa-0000-7000-8000-000000000001";
const OTHER_ID = "0199aaaa-0000-7000-8000-000000000002";
const SCHEMA = z.strictObject({ name: z.string() });
const DAY_MS = 86_400_000;

describe("CheckpointStore", () => {
  let directory: ReturnType<typeof freshDirectory>;
  const key = randomBytes(32);

  beforeEach(() => {
    directory = freshDirectory();
  });

  afterEach(() => directory.remove());

  const store = ({ keys = { current: key, old: [] as Uint8Array[] }, input = { path: "a" }, taskId = TASK_ID } = {}) =>
    new CheckpointStore({
      directory: directory.path,
      ring: new KeyRing(keys),
      input,
      writer: { taskId, attempt: 1, signal: new AbortController().signal },
    });
  const file = () => join(directory.path, TASK_ID, "text.sealed");

  it("keeps what a stage gave, sealed, until it is removed", async () => {
    await store().save("text", { name: "김민수" });
    expect(readFileSync(file(), "utf8")).not.to.include("김민수");
    expect(await store().load("text", SCHEMA)).to.deep.equal({ name: "김민수" });
    expect(await store().load("other", SCHEMA)).to.equal(undefined);
    await store().remove("text");
    expect(await store().load("text", SCHEMA)).to.equal(undefined);
    await store().remove();
    expect(readdirSync(directory.path)).to.deep.equal([]);
    await store().remove();
  });

  it("opens after a change of keys, as long as the old one is there", async () => {
    await store().save("text", { name: "a" });
    const current = randomBytes(32);
    expect(await store({ keys: { current, old: [key] } }).load("text", SCHEMA)).to.deep.equal({ name: "a" });
    expect(await store({ keys: { current, old: [] } }).load("text", SCHEMA)).to.equal(undefined);
  });

  it("takes for lost what belongs to another input, stage or task, is damaged, plain, or of another form", async () => {
    await store().save("text", { name: "a" });
    const sealed = readFileSync(file());
    expect(await store({ input: { path: "b" } }).load("text", SCHEMA)).to.equal(undefined);
    writeFileSync(join(directory.path, TASK_ID, "chunks.sealed"), sealed);
    expect(await store().load("chunks", SCHEMA)).to.equal(undefined);
    mkdirSync(join(directory.path, OTHER_ID));
    writeFileSync(join(directory.path, OTHER_ID, "text.sealed"), sealed);
    expect(await store({ taskId: OTHER_ID }).load("text", SCHEMA)).to.equal(undefined);
    expect(await store().load("text", z.strictObject({ other: z.string() }))).to.equal(undefined);
    for (const damaged of [sealed.subarray(0, -1), Buffer.from('{"name":"a"}'), Buffer.alloc(0)]) {
      writeFileSync(file(), damaged);
      expect(await store().load("text", SCHEMA)).to.equal(undefined);
    }
  });

  it("forgets tasks that have not gone on for days, and touches nothing else", async () => {
    await store().save("text", { name: "a" });
    await store({ taskId: OTHER_ID }).save("text", { name: "b" });
    writeFileSync(join(directory.path, "notes.txt"), "mine");
    const now = Date.now();
    const old = new Date(now - 8 * DAY_MS);
    utimesSync(join(directory.path, TASK_ID), old, old);
    utimesSync(join(directory.path, "notes.txt"), old, old);
    await removeStaleCheckpoints(directory.path, 7, now);
    expect(readdirSync(directory.path).sort()).to.deep.equal([OTHER_ID, "notes.txt"]);
    await removeStaleCheckpoints(join(directory.path, "none"), 7, now);
    expect(existsSync(join(directory.path, "none"))).to.equal(false);
  });
});
