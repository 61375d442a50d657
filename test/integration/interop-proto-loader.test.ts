import { fileURLToPath } from "node:url";
import {
  credentials,
  loadPackageDefinition,
  type Client,
  type ClientReadableStream,
  type ServiceError,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { expect } from "chai";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";

const PROTO = fileURLToPath(new URL("../../../proto", import.meta.url));
const START_TIMEOUT_MS = 60_000;

type Message = Readonly<Record<string, unknown>>;
type Answer = (error: ServiceError | null, response?: Message) => void;

/** What proto-loader makes of the service; its methods are known at run time only. */
interface LoadedClient extends Client {
  CreateTask(request: Message, answer: Answer): void;
  ListTasks(request: Message, answer: Answer): void;
  WatchTask(request: Message): ClientReadableStream<Message>;
}

function loadClient(address: string): LoadedClient {
  const definition = loadSync("taskwire/v1/task_service.proto", {
    includeDirs: [PROTO],
    keepCase: true,
    longs: String,
    enums: String,
    oneofs: true,
  });
  const loaded = loadPackageDefinition(definition) as unknown as {
    taskwire: {
      v1: {
        TaskService: new (address: string, channel: ReturnType<typeof credentials.createInsecure>) => LoadedClient;
      };
    };
  };
  return new loaded.taskwire.v1.TaskService(address, credentials.createInsecure());
}

describe("A client made by @grpc/proto-loader from the .proto files alone", function () {
  this.timeout(START_TIMEOUT_MS);
  let stack: TestStack;
  let client: LoadedClient;

  before(async () => {
    stack = await startTestStack();
    client = loadClient(stack.address);
  });

  after(async () => {
    client.close();
    await stack.stop();
  });

  function answerTo(method: "CreateTask" | "ListTasks", request: Message): Promise<Message> {
    return new Promise((resolve, reject) => {
      client[method](request, (error, response) => {
        if (response === undefined) reject(error ?? new Error("no answer"));
        else resolve(response);
      });
    });
  }

  it("creates, watches and lists", async () => {
    const payload = { fields: { verbose: { boolValue: true } } };
    const task = { type: "system.health_check", labels: { by: "proto-loader" }, priority: 5 };
    const created = await answerTo("CreateTask", { task });
    expect(created).to.deep.include({ ...task, queue: "default", state: "PENDING", sequence: "1" });
    const events: Message[] = [];
    for await (const frame of client.WatchTask({ id: created["id"], after_sequence: 0 })) {
      events.push(...((frame as Message)["events"] as Message[]));
    }
    expect(events.map(({ sequence }) => Number(sequence))).to.deep.equal(events.map((_, index) => index + 1));
    expect(events[0]).to.include({ kind: "created" });
    expect(events.at(-1)).to.include({ kind: "completed", state: "COMPLETED" });
    const waiting = await answerTo("CreateTask", { task: { type: "nobody.runs_this", payload } });
    const page = await answerTo("ListTasks", {
      filter: "state = PENDING OR state = COMPLETED",
      order_by: "create_time",
      view: "TASK_VIEW_FULL",
    });
    const tasks = page["tasks"] as Message[];
    expect(tasks.map(({ id, state }) => [id, state])).to.deep.equal([
      [created["id"], "COMPLETED"],
      [waiting["id"], "PENDING"],
    ]);
    expect(tasks[1]?.["payload"]).to.have.nested.property("fields.verbose.boolValue", true);
    expect(page["next_page_token"]).to.equal(undefined);
  });
});
