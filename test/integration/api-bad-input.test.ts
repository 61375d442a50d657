import { join } from "node:path";
import { expect } from "chai";
import * as methods from "#libs/client/service-methods.js";
import { readSettings } from "#libs/config/settings.js";
import { TaskwireError } from "#libs/errors/taskwire-error.js";
import { silentLogger } from "#libs/log/logger.js";
import { Channel, type ClientMethod } from "#libs/rpc/channel.js";
import { freePort } from "#libs/nats-server/free-port.js";
import {
  BatchCreateTasksRequest,
  CancelTaskRequest,
  CreateTaskRequest,
  GetTaskRequest,
  ListTasksRequest,
  WatchTaskRequest,
} from "#libs/proto/gen/taskwire/v1/task_service.js";
import { Task_State, TaskView } from "#libs/proto/gen/taskwire/v1/task.js";
import { taskServiceSettings } from "#task-service/settings.js";
import { TaskService } from "#task-service/task-service.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { rejectionOf } from "#test/support/rejection-of.js";

type CreateBody = Parameters<typeof CreateTaskRequest.fromPartial>[0];
type ListBody = Parameters<typeof ListTasksRequest.fromPartial>[0];

const ID = "0199aaaa-0000-7000-8000-000000000001";
/** A number that no enum of the protocol has, as a newer client would send it. */
const UNKNOWN_NUMBER: number = 99;
const DAY_MS = 86_400_000;

/** `levels` objects within each other. */
function nested(levels: number): Record<string, unknown> {
  let value: Record<string, unknown> = {};
  for (let level = 1; level < levels; level += 1) value = { a: value };
  return value;
}

async function collect(frames: AsyncIterable<unknown>): Promise<void> {
  for await (const frame of frames) void frame;
}

describe("Bad input to the API: the right code, every field named, nothing changed, the server alive", () => {
  const directory = freshDirectory();
  let service: TaskService;
  let channel: Channel;

  before(async () => {
    const env = {
      TASKWIRE_GRPC_PORT: "0",
      TASKWIRE_HTTP_PORT: "-1",
      TASKWIRE_DATABASE: join(directory.path, "taskwire.db"),
      // Nobody there: tasks are accepted all the same.
      TASKWIRE_NATS_URL: `nats://127.0.0.1:${await freePort()}`,
    };
    service = new TaskService(readSettings(taskServiceSettings, { env }), silentLogger());
    await service.start();
    channel = new Channel({ address: `127.0.0.1:${service.grpcPort}` });
  });

  after(async () => {
    channel.close();
    await service.stop();
    directory.remove();
  });

  async function count(): Promise<number> {
    const { tasks } = await channel.unary(methods.listTasks, ListTasksRequest.fromPartial({ pageSize: 1000 }));
    return tasks.length;
  }

  const call = <Q, R>(method: ClientMethod<Q, R>, request: Q | Uint8Array) => channel.unary(method, request);
  const create = (body: CreateBody) => call(methods.createTask, CreateTaskRequest.fromPartial(body));
  const createTask = (task: CreateBody["task"]) => create({ task: { type: "a", ...task } });
  const list = (body: ListBody) => call(methods.listTasks, ListTasksRequest.fromPartial(body));
  const get = (id: string, view: TaskView = 0) => call(methods.getTask, GetTaskRequest.fromPartial({ id, view }));
  const watch = (body: Parameters<typeof WatchTaskRequest.fromPartial>[0]) =>
    collect(channel.serverStream(methods.watchTask, WatchTaskRequest.fromPartial(body)));

  /** The failure of a call that must change nothing and leave the server alive. */
  async function refusal(request: () => Promise<unknown>): Promise<TaskwireError> {
    const before = await count();
    const error = await rejectionOf(request());
    if (!(error instanceof TaskwireError)) throw error;
    expect(error.reason, "the reason of its ErrorInfo").to.match(/^[A-Z][A-Z_]+$/);
    expect(await count(), "tasks").to.equal(before);
    return error;
  }

  async function expectFields(request: () => Promise<unknown>, ...fields: string[]): Promise<void> {
    const error = await refusal(request);
    expect(error).to.include({ code: "INVALID_ARGUMENT", reason: "INVALID_FIELDS" });
    expect(error.violations.map(({ field }) => field)).to.have.members(fields);
    for (const { description } of error.violations) expect(description).to.not.equal("");
  }

  it("accepts a well-formed type that nobody runs, which waits", async () => {
    const task = await createTask({ type: "nobody.runs-this_9", queue: "0" });
    expect((await get(task.id)).state).to.equal(Task_State.PENDING);
  });

  it("refuses malformed type and queue names", async () => {
    for (const type of ["", "A", "a b", "a..b", "a.", "ä", "a".repeat(101)]) {
      await expectFields(() => createTask({ type }), "task.type");
    }
    for (const queue of ["Q", "a.b", "-a", "*", ">", "a".repeat(64)]) {
      await expectFields(() => createTask({ queue }), "task.queue");
    }
  });

  it("refuses a payload over its limit or nested too deep, and takes one at the limit through every answer", async () => {
    await expectFields(() => createTask({ payload: { text: "x".repeat(256 * 1024) } }), "task.payload");
    for (const levels of [31, 40, 200]) {
      await expectFields(() => createTask({ payload: nested(levels) }), "task.payload");
    }
    await expectFields(() => createTask({ payload: { a: Number.NaN } }), "task.payload");
    const deep = await createTask({ payload: nested(30) });
    const request = { task: { type: "a", payload: nested(30) } };
    await call(methods.batchCreateTasks, BatchCreateTasksRequest.fromPartial({ requests: [request] }));
    expect((await get(deep.id)).payload).to.deep.equal(nested(30));
    const page = await list({ view: TaskView.TASK_VIEW_FULL, filter: `id = ${deep.id}` });
    expect(page.tasks[0]?.payload).to.deep.equal(nested(30));
    const large = await createTask({ payload: { text: "한".repeat(87_000) } });
    expect((await get(large.id)).payload).to.deep.equal({ text: "한".repeat(87_000) });
  });

  it("refuses label rules, limits, retry policy, description, attempts and a far run time, all at once", async () => {
    const task = {
      priority: 101,
      description: "x".repeat(1001),
      labels: { "a b": "", ok: "x".repeat(257) },
      maxAttempts: 101,
      runTime: new Date(Date.now() + 367 * DAY_MS),
      limits: { softTimeout: { seconds: 60, nanos: 0 }, hardTimeout: { seconds: 60, nanos: 0 }, memoryBytes: 1 },
      retryPolicy: { initialDelay: { seconds: -1, nanos: 0 }, multiplier: 11 },
    };
    await expectFields(
      () => create({ requestId: "not visible", task: { type: "", ...task } }),
      "request_id",
      "task.type",
      "task.priority",
      "task.description",
      'task.labels["a b"]',
      'task.labels["ok"]',
      "task.max_attempts",
      "task.run_time",
      "task.limits.soft_timeout",
      "task.limits.memory_bytes",
      "task.retry_policy.initial_delay",
      "task.retry_policy.multiplier",
    );
    const labels = Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`k${index}`, ""]));
    await expectFields(() => createTask({ labels }), "task.labels");
    await expectFields(() => create({}), "task");
  });

  it("refuses a request id that was used for another body, and repeats the first answer for the same", async () => {
    const body: CreateBody = {
      requestId: "once",
      task: { type: "a", payload: { x: 1, y: 2 }, labels: { b: "1", a: "2" } },
    };
    const first = await create(body);
    const same = await create({
      requestId: "once",
      task: { type: "a", payload: { y: 2, x: 1 }, labels: { a: "2", b: "1" } },
    });
    expect(same).to.deep.equal(first);
    const error = await refusal(() => create({ requestId: "once", task: { type: "a", payload: { x: 2 } } }));
    expect(error).to.include({ code: "ALREADY_EXISTS", reason: "REQUEST_ID_REUSED" });
  });

  it("refuses a batch of 0 and of 1001, and names fields by their request", async () => {
    const batch = (requests: CreateBody[]) => () =>
      call(methods.batchCreateTasks, BatchCreateTasksRequest.fromPartial({ requests }));
    await expectFields(batch([]), "requests");
    await expectFields(batch(Array.from({ length: 1001 }, () => ({ task: { type: "a" } }))), "requests");
    const good = { task: { type: "a" } };
    await expectFields(batch([good, { task: { type: "A" } }, good, {}]), "requests[1].task.type", "requests[3].task");
    const reused = await refusal(batch([good, { ...good, requestId: "twice" }, { ...good, requestId: "twice" }]));
    expect(reused).to.include({ code: "ALREADY_EXISTS", reason: "REQUEST_ID_REUSED" });
    expect(reused.message).to.contain("requests[2].request_id");
    const error = await refusal(batch(Array.from({ length: 1000 }, () => ({ task: { type: "A", queue: "Q" } }))));
    expect(error.code).to.equal("INVALID_ARGUMENT");
    expect(error.violations.at(-1)?.description).to.match(/\d+ more fields are invalid/);
  });

  it("refuses malformed ids everywhere and tells that a well-formed one is not there", async () => {
    for (const id of ["", "1", "not-a-uuid", `${ID}0`, `{${ID}}`, "../etc"]) {
      await expectFields(() => get(id), "id");
      await expectFields(() => call(methods.cancelTask, CancelTaskRequest.fromPartial({ id })), "id");
      await expectFields(() => watch({ id }), "id");
      await expectFields(() => list({ filter: `id = ${ID} OR id = "${id}"` }), "filter");
    }
    for (const request of [
      () => get(ID),
      () => call(methods.cancelTask, CancelTaskRequest.fromPartial({ id: ID })),
      () => watch({ id: ID }),
    ]) {
      expect(await refusal(request)).to.include({ code: "NOT_FOUND", reason: "TASK_NOT_FOUND" });
    }
    const { id } = await createTask({});
    expect((await get(id.toUpperCase())).id).to.equal(id);
  });

  it("refuses unknown enum values", async () => {
    const { id } = await createTask({});
    await expectFields(() => get(id, UNKNOWN_NUMBER), "view");
    await expectFields(() => watch({ id, view: UNKNOWN_NUMBER }), "view");
    await expectFields(() => list({ view: UNKNOWN_NUMBER, filter: "state = STATE_UNSPECIFIED" }), "view", "filter");
  });

  it("refuses a negative page size, an unknown order, a foreign or damaged page token", async () => {
    await createTask({});
    await expectFields(() => list({ pageSize: -1, orderBy: "priority" }), "page_size", "order_by");
    for (const orderBy of ["constructor", "toString", "id descending", "id desc desc", "id, type"]) {
      await expectFields(() => list({ orderBy }), "order_by");
    }
    const { nextPageToken: pageToken } = await list({ pageSize: 1 });
    expect(pageToken).to.not.equal("");
    expect((await list({ pageSize: 2, pageToken })).tasks.length).to.equal(2);
    await expectFields(() => list({ pageToken, filter: "type = a" }), "page_token");
    await expectFields(() => list({ pageToken, orderBy: "update_time" }), "page_token");
    for (const damaged of ["x", `${pageToken}A`, pageToken.slice(0, -2), `A${pageToken.slice(1)}`]) {
      await expectFields(() => list({ pageToken: damaged }), "page_token");
    }
    const filter = "type = a AND state = PENDING";
    await createTask({});
    const { nextPageToken } = await list({ pageSize: 1, filter });
    const same = '( type="a" state  = PENDING)';
    expect((await list({ pageSize: 1, filter: same, pageToken: nextPageToken })).tasks).to.have.lengthOf(1);
    const other = "state = PENDING AND type = b";
    await expectFields(() => list({ filter: other, pageToken: nextPageToken }), "page_token");
  });

  it("refuses wrong filters, and says at which character", async () => {
    const wrong: readonly [filter: string, position: number, expected: string][] = [
      ["report", 1, "words alone are not searched for"],
      ["type = Report", 8, "a task type"],
      ["queue = a.b", 9, "a queue name"],
      ["labels.1 = x", 8, "a label key"],
      ["state = running", 9, "one of PENDING, RUNNING"],
      ["state < FAILED", 7, "a comparator: = !="],
      ["payload = 1", 1, "one of the fields id, type"],
      ["create_time > yesterday", 15, "a time such as"],
      ["update_time >= 10000-01-01T00:00:00Z", 16, "a time such as"],
      ["priority = 1.5", 12, "a whole number"],
      ["type = 'a", 10, "a closing '"],
      ["(state = FAILED", 16, "restriction or )"],
      ["state = FAILED)", 15, "another restriction"],
      ["state = FAILED OR", 18, "a field or ("],
      ["state = FAILED or state = RUNNING", 16, "OR in capitals"],
      ["type = 'a*b'", 10, "a star only at the end"],
      ["priority = 1; drop table tasks", 12, "a whole number"],
      ["labels.한 = 😀 state = x", 8, "a label key"],
      ["labels.k = 😀 state = x", 22, "one of PENDING"],
    ];
    for (const [filter, position, expected] of wrong) {
      const error = await refusal(() => list({ filter, pageToken: "x" }));
      expect(error, filter).to.include({ code: "INVALID_ARGUMENT", reason: "INVALID_FIELDS" });
      expect(error.violations.map(({ field }) => field)).to.deep.equal(["filter"]);
      const description = error.violations[0]?.description;
      expect(description, filter).to.match(new RegExp(`^is wrong at character ${position}: expected `));
      expect(description, filter).to.include(expected);
    }
  });

  it("refuses a negative cursor and one beyond the latest event", async () => {
    const { id } = await createTask({});
    await expectFields(() => watch({ id, afterSequence: -1 }), "after_sequence");
    const error = await refusal(() => watch({ id, afterSequence: 2 }));
    expect(error).to.include({ code: "OUT_OF_RANGE", reason: "CURSOR_AHEAD" });
  });

  it("refuses a message of 5 MB, invalid UTF-8, bytes that are no message and an unknown method", async () => {
    const large = CreateTaskRequest.fromPartial({ task: { type: "a", description: "x".repeat(5_000_000) } });
    expect(await refusal(() => call(methods.createTask, large))).to.include({ code: "RESOURCE_EXHAUSTED" });
    const text = CreateTaskRequest.encode(CreateTaskRequest.fromPartial({ task: { type: "a\u0001" } })).finish();
    await expectFields(() => call(methods.createTask, Buffer.from(text).fill(0xff, text.length - 1)), "task.type");
    const noise = await refusal(() => call(methods.createTask, Uint8Array.from([0x0a, 0xff, 0x01])));
    expect(noise.code).to.equal("INVALID_ARGUMENT");
    const path = "/taskwire.v1.TaskService/Nothing";
    expect(await refusal(() => call({ ...methods.getTask, path }, GetTaskRequest.create()))).to.include({
      code: "UNIMPLEMENTED",
    });
  });

  it("refuses to cancel with a reason of a million characters", async () => {
    const { id } = await createTask({});
    const cancel = (reason: string) => () => call(methods.cancelTask, CancelTaskRequest.fromPartial({ id, reason }));
    await expectFields(cancel("x".repeat(1_000_000)), "reason");
    expect((await cancel("😀".repeat(500))()).state).to.equal(Task_State.CANCELLED);
  });
});
