import { join } from "node:path";
import { expect } from "chai";
import * as methods from "#libs/client/service-methods.js";
import { readSettings } from "#libs/config/settings.js";
import { TaskwireError } from "#libs/errors/taskwire-error.js";
import { silentLogger } from "#libs/log/logger.js";
import { freePort } from "#libs/nats-server/free-port.js";
import type { Duration } from "#libs/proto/gen/google/protobuf/duration.js";
import {
  BatchCreateTasksRequest,
  CancelTaskRequest,
  CreateTaskRequest,
  ListTasksRequest,
} from "#libs/proto/gen/taskwire/v1/task_service.js";
import { PingRequest } from "#libs/proto/gen/taskwire/v1/worker_service.js";
import { Channel } from "#libs/rpc/channel.js";
import * as limits from "#libs/tasks/limits.js";
import { taskServiceSettings } from "#task-service/settings.js";
import { TaskService } from "#task-service/task-service.js";
import { freshDirectory } from "#test/support/fresh-directory.js";

type Body = NonNullable<Parameters<typeof CreateTaskRequest.fromPartial>[0]>;
type TaskBody = NonNullable<Body["task"]>;

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const MIB = 1024 * 1024;
/** What `{"text":""}` takes of a payload. */
const PAYLOAD_FRAME = 11;
const MAX_REQUEST_BYTES = 4 * MIB;
const ID = "0199aaaa-0000-7000-8000-000000000001";

const span = (ms: number): Duration => {
  const seconds = Math.trunc(ms / 1000);
  return { seconds, nanos: (ms - seconds * 1000) * 1_000_000 };
};
const text = (bytes: number) => ({ payload: { text: "x".repeat(bytes - PAYLOAD_FRAME) } });
const labels = (count: number) => ({
  labels: Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, ""])),
});
const codes = (count: number) => Array.from({ length: count }, (_, index) => `CODE_${index}`);
const repeat = (count: number, value: string) => Array.from({ length: count }, () => value);

/** `levels` objects within each other. */
function nested(levels: number): Record<string, unknown> {
  let value: Record<string, unknown> = {};
  for (let level = 1; level < levels; level += 1) value = { a: value };
  return value;
}

/** A bound of a task: the field it is about, what is accepted (below and at it) and what is refused (above it). */
type Bound = readonly [field: string, accepted: readonly TaskBody[], refused: readonly TaskBody[]];

const TASK_BOUNDS: readonly Bound[] = [
  ["task.payload", [limits.MAX_JSON_BYTES - 1, limits.MAX_JSON_BYTES].map(text), [text(limits.MAX_JSON_BYTES + 1)]],
  ["task.payload", [29, 30].map((levels) => ({ payload: nested(levels) })), [{ payload: nested(31) }]],
  ["task.type", [99, 100].map((length) => ({ type: "a".repeat(length) })), [{ type: "a".repeat(101) }]],
  ["task.queue", [62, 63].map((length) => ({ queue: "a".repeat(length) })), [{ queue: "a".repeat(64) }]],
  ["task.labels", [labels(31), labels(32)], [labels(33)]],
  [
    `task.labels["${"k".repeat(64)}"]`,
    [62, 63].map((n) => ({ labels: { ["k".repeat(n)]: "" } })),
    [{ labels: { ["k".repeat(64)]: "" } }],
  ],
  [
    'task.labels["k"]',
    [`${"ü".repeat(127)}a`, "ü".repeat(128)].map((k) => ({ labels: { k } })),
    [{ labels: { k: `${"ü".repeat(128)}a` } }],
  ],
  ["task.description", [999, 1000].map((n) => ({ description: "😀".repeat(n) })), [{ description: "😀".repeat(1001) }]],
  ["task.priority", [-99, -100, 99, 100].map((priority) => ({ priority })), [{ priority: -101 }, { priority: 101 }]],
  [
    "task.max_attempts",
    [0, 1, 99, 100].map((maxAttempts) => ({ maxAttempts })),
    [{ maxAttempts: -1 }, { maxAttempts: 101 }],
  ],
  [
    "task.limits.soft_timeout",
    [10, 11, DAY_MS - 1, DAY_MS].map((ms) => ({ limits: { softTimeout: span(ms) } })),
    [9, DAY_MS + 1].map((ms) => ({ limits: { softTimeout: span(ms) } })),
  ],
  [
    "task.limits.hard_timeout",
    [10, 11, DAY_MS - 1, DAY_MS].map((ms) => ({ limits: { hardTimeout: span(ms) } })),
    [9, DAY_MS + 1].map((ms) => ({ limits: { hardTimeout: span(ms) } })),
  ],
  [
    "task.limits.soft_timeout",
    [{ limits: { softTimeout: span(49), hardTimeout: span(50) } }],
    [50, 51].map((ms) => ({ limits: { softTimeout: span(ms), hardTimeout: span(50) } })),
  ],
  [
    "task.limits.memory_bytes",
    [32 * MIB, 32 * MIB + 1, 65_536 * MIB - 1, 65_536 * MIB].map((memoryBytes) => ({ limits: { memoryBytes } })),
    [32 * MIB - 1, 65_536 * MIB + 1].map((memoryBytes) => ({ limits: { memoryBytes } })),
  ],
  [
    "task.retry_policy.initial_delay",
    [0, 1, DAY_MS - 1, DAY_MS].map((ms) => ({ retryPolicy: { initialDelay: span(ms) } })),
    [-1, DAY_MS + 1].map((ms) => ({ retryPolicy: { initialDelay: span(ms) } })),
  ],
  [
    "task.retry_policy.maximum_delay",
    [0, 1, DAY_MS - 1, DAY_MS].map((ms) => ({ retryPolicy: { maximumDelay: span(ms) } })),
    [-1, DAY_MS + 1].map((ms) => ({ retryPolicy: { maximumDelay: span(ms) } })),
  ],
  [
    "task.retry_policy.multiplier",
    [0, 1, 1.01, 9.99, 10].map((multiplier) => ({ retryPolicy: { multiplier } })),
    [0.99, 10.01].map((multiplier) => ({ retryPolicy: { multiplier } })),
  ],
  [
    "task.retry_policy.total_timeout",
    [10, 11, 366 * DAY_MS - 1, 366 * DAY_MS].map((ms) => ({ retryPolicy: { totalTimeout: span(ms) } })),
    [9, 366 * DAY_MS + 1].map((ms) => ({ retryPolicy: { totalTimeout: span(ms) } })),
  ],
  [
    "task.retry_policy.retryable_codes",
    [49, 50].map((n) => ({ retryPolicy: { retryableCodes: codes(n) } })),
    [{ retryPolicy: { retryableCodes: codes(51) } }],
  ],
  [
    "task.retry_policy.permanent_codes",
    [49, 50].map((n) => ({ retryPolicy: { permanentCodes: codes(n) } })),
    [{ retryPolicy: { permanentCodes: codes(51) } }],
  ],
  [
    "task.retry_policy.permanent_codes[0]",
    [62, 63].map((n) => ({ retryPolicy: { permanentCodes: ["C".repeat(n)] } })),
    [{ retryPolicy: { permanentCodes: ["C".repeat(64)] } }],
  ],
];

describe("Every bound of the API, below, at and above it (Bounded, Clear refusals)", function () {
  this.timeout(60_000);
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

  const create = (body: Body) => channel.unary(methods.createTask, CreateTaskRequest.fromPartial(body));
  const createTask = (task: TaskBody) => create({ task: { type: "bound", ...task } });
  const batch = (count: number) =>
    channel.unary(
      methods.batchCreateTasks,
      BatchCreateTasksRequest.fromPartial({
        requests: Array.from({ length: count }, () => ({ task: { type: "many" } })),
      }),
    );
  const list = (body: Parameters<typeof ListTasksRequest.fromPartial>[0]) =>
    channel.unary(methods.listTasks, ListTasksRequest.fromPartial(body));

  /** The fields a call is refused for; none when it is accepted. Every other failure is thrown. */
  async function violated(call: Promise<unknown>): Promise<readonly string[]> {
    try {
      await call;
      return [];
    } catch (error) {
      if (!(error instanceof TaskwireError) || error.code !== "INVALID_ARGUMENT") throw error;
      return error.violations.map(({ field }) => field);
    }
  }

  for (const [field, accepted, refused] of TASK_BOUNDS) {
    it(`${field}: ${accepted.length} accepted, ${refused.length} refused`, async () => {
      for (const task of accepted) expect(await violated(createTask(task)), short(task)).to.deep.equal([]);
      for (const task of refused) expect(await violated(createTask(task)), short(task)).to.deep.equal([field]);
    });
  }

  it("task.run_time: 366 days ahead", async () => {
    const ahead = (ms: number) => violated(createTask({ runTime: new Date(Date.now() + ms) }));
    for (const ms of [-DAY_MS, 0, 366 * DAY_MS - MINUTE_MS, 366 * DAY_MS]) expect(await ahead(ms)).to.deep.equal([]);
    expect(await ahead(366 * DAY_MS + MINUTE_MS)).to.deep.equal(["task.run_time"]);
  });

  it("request_id: 64 characters", async () => {
    const named = (length: number) => violated(create({ requestId: "r".repeat(length), task: { type: "bound" } }));
    for (const length of [0, 1, 63, 64]) expect(await named(length)).to.deep.equal([]);
    expect(await named(65)).to.deep.equal(["request_id"]);
  });

  it("requests of a batch: 1 to 1000", async () => {
    expect(await violated(batch(0))).to.deep.equal(["requests"]);
    for (const count of [1, 999, 1000]) expect((await batch(count)).tasks).to.have.lengthOf(count);
    expect(await violated(batch(1001))).to.deep.equal(["requests"]);
  });

  it("page_size: 0 means 50, above 1000 means 1000, negative is refused", async () => {
    await batch(1000);
    await batch(1);
    const filter = "type = many";
    const sizes = [0, 1, 49, 50, 999, 1000, 1001, 2_147_483_647];
    for (const pageSize of sizes) {
      const page = await list({ filter, pageSize });
      expect(page.tasks, String(pageSize)).to.have.lengthOf(Math.min(pageSize || 50, 1000));
      expect(page.nextPageToken).to.not.equal("");
    }
    expect(await violated(list({ filter, pageSize: -1 }))).to.deep.equal(["page_size"]);
    const attempts = (pageSize: number) =>
      violated(channel.unary(methods.listTaskAttempts, { id: ID, pageSize, pageToken: "" }));
    expect(await attempts(-1)).to.deep.equal(["page_size"]);
    const events = (pageSize: number) =>
      violated(channel.unary(methods.listTaskEvents, { id: ID, pageSize, pageToken: "", orderBy: "" }));
    expect(await events(-1)).to.deep.equal(["page_size"]);
  });

  it("filter: 16,000 characters, 20 open parentheses, 200 restrictions", async () => {
    const filters: readonly [number, (count: number) => string][] = [
      [16_000, (count) => "labels.k = ".padEnd(count, "한")],
      [20, (count) => `${"(".repeat(count)}state = FAILED${")".repeat(count)}`],
      [200, (count) => repeat(count, "priority = 1").join(" OR ")],
    ];
    for (const [most, filter] of filters) {
      for (const count of [most - 1, most]) expect(await violated(list({ filter: filter(count) }))).to.deep.equal([]);
      expect(await violated(list({ filter: filter(most + 1) }))).to.deep.equal(["filter"]);
    }
  });

  it("reason of a cancel: 500 characters, also such that UTF-16 counts twice", async () => {
    for (const character of ["x", "한", "😀"]) {
      const cancel = async (length: number) => {
        const { id } = await createTask({});
        const request = CancelTaskRequest.fromPartial({ id, reason: character.repeat(length) });
        return violated(channel.unary(methods.cancelTask, request));
      };
      for (const length of [499, 500]) expect(await cancel(length)).to.deep.equal([]);
      expect(await cancel(501)).to.deep.equal(["reason"]);
    }
  });

  it("time limit of a ping: 1 ms to 60 s", async () => {
    const ping = (ms: number) =>
      channel.unary(methods.ping, PingRequest.fromPartial({ timeout: span(ms) })).catch((error: unknown) => {
        if (!(error instanceof TaskwireError)) throw error;
        return error.code;
      });
    for (const ms of [1, 59_999, 60_000]) expect(await ping(ms)).to.equal("UNAVAILABLE");
    for (const ms of [0, 60_001]) expect(await ping(ms)).to.equal("INVALID_ARGUMENT");
  });

  it("bytes of a request: 4 MiB; a larger one is RESOURCE_EXHAUSTED and the connection lives", async () => {
    const sized = (bytes: number) => {
      const requests = Array.from({ length: 20 }, () => ({ task: { type: "a", ...text(200_000) } }));
      const encode = (filler: number) =>
        BatchCreateTasksRequest.encode(
          BatchCreateTasksRequest.fromPartial({ requests: [...requests, { task: { type: "a", ...text(filler) } }] }),
        ).finish();
      const guess = 150_000;
      const request = encode(guess + bytes - encode(guess).length);
      expect(request).to.have.lengthOf(bytes);
      return channel.unary(methods.batchCreateTasks, request);
    };
    for (const bytes of [MAX_REQUEST_BYTES - 1, MAX_REQUEST_BYTES])
      expect((await sized(bytes)).tasks).to.have.lengthOf(21);
    const error = await sized(MAX_REQUEST_BYTES + 1).then(
      () => undefined,
      (refusal: unknown) => refusal,
    );
    expect(error).to.include({ code: "RESOURCE_EXHAUSTED" });
    expect((await batch(1)).tasks).to.have.lengthOf(1);
  });
});

function short(task: TaskBody): string {
  return JSON.stringify(task).slice(0, 100);
}
