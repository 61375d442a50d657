import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "chai";
import { z } from "zod";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { historyOf } from "#test/support/follow-task.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
/** The one Debian's packages are for. */
const PYTHON = "/usr/bin/python3";
const TASKS = 12;
const Answer = z.object({
  ids: z.array(z.string()),
  snapshot: z.array(z.string()),
  events: z.array(z.object({ revision: z.number(), task_id: z.string(), state: z.string() })),
  is_left: z.boolean(),
});

describe("python3-grpcio, which knows nothing but the protocol", function () {
  this.timeout(60_000);
  let test: TestStack;

  before(async () => {
    test = await startTestStack({ workerArgs: ["--tasks", fixturePath("flow-tasks.js")] });
  });
  after(() => test?.stop());

  it("watches many tasks over one stream, leaves it, and resumes without a loss or a repetition", async () => {
    const descriptors = join(test.dataDir, "descriptors.binpb");
    await run(join(ROOT, "node_modules/.bin/buf"), ["build", "--as-file-descriptor-set", "--output", descriptors], {
      cwd: ROOT,
    });
    const script = join(ROOT, "test/interop/watch_tasks.py");
    const { stdout } = await run(PYTHON, [script, test.address, descriptors, "interop", String(TASKS)], {
      timeout: 50_000,
    });
    const seen = Answer.parse(JSON.parse(stdout));
    expect(seen.is_left).to.equal(true);
    expect(seen.snapshot).to.have.members(seen.ids);
    const revisions = seen.events.map(({ revision }) => revision);
    expect(revisions).to.deep.equal([...new Set(revisions)].sort((one, other) => one - other));
    const last = revisions.at(-1) ?? 0;
    const first = revisions[0] ?? 0;
    const histories = (await Promise.all(seen.ids.map((id) => historyOf(test.client, id)))).flat();
    const expected = histories.filter(({ revision }) => revision >= first && revision <= last);
    expect(revisions).to.include.members(
      expected.filter(({ kind }) => kind?.$case !== "progress").map(({ revision }) => revision),
    );
    expect(histories.map(({ revision }) => revision)).to.include.members(revisions);
  });
});
