import { TaskwireError, invalidArgument } from "#libs/errors/taskwire-error.js";
import { silentLogger, type Logger } from "#libs/log/logger.js";
import { Task, Task_State as State } from "#libs/proto/gen/taskwire/v1/task.js";
import { TaskExplanation } from "#libs/proto/gen/taskwire/v1/task_explanation.js";
import {
  BatchCreateTasksRequest,
  BatchCreateTasksResponse,
  CancelTaskRequest,
  CreateTaskRequest,
  ExplainTaskRequest,
  GetTaskRequest,
  ListTaskAttemptsRequest,
  ListTaskAttemptsResponse,
  ListTaskEventsRequest,
  ListTaskEventsResponse,
  ListTasksRequest,
  ListTasksResponse,
  TaskServiceService,
  RetryTaskRequest,
  RunTaskRequest,
  RunTaskResponse,
  WatchTaskRequest,
  WatchTaskResponse,
  WatchTasksRequest,
  WatchTasksResponse,
} from "#libs/proto/gen/taskwire/v1/task_service.js";
import { GrpcServer } from "#libs/rpc/grpc-server.js";
import { serverStream, unary, type ServiceImplementation } from "#libs/rpc/service-definition.js";

type Methods = ServiceImplementation<typeof TaskServiceService>;

/** A TaskService that keeps tasks in memory and accepts every type but `bad`; tests replace single methods. */
export class ToyTaskService {
  readonly server: GrpcServer;
  readonly tasks = new Map<string, Task>();
  /** Method names in the order they were called; batches with their size. */
  readonly calls: string[] = [];
  port = 0;

  constructor(replaced: Partial<Methods> = {}, logger: Logger = silentLogger()) {
    this.server = new GrpcServer({ logger });
    this.server.addService(TaskServiceService, { ...this.#methods(), ...replaced });
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  async start(port = 0): Promise<this> {
    this.port = await this.server.listen("127.0.0.1", port);
    return this;
  }

  /** Stores a task as CreateTask does; the same request id gives the first one. */
  create(request: CreateTaskRequest, prefix = ""): Task {
    if (request.task?.type === "bad") throw invalidArgument([{ field: `${prefix}task.type`, description: "is bad" }]);
    const known = [...this.tasks.values()].find((task) => task.description === request.requestId);
    if (known !== undefined && request.requestId !== "") return known;
    const id = `01920000-0000-7000-8000-${String(this.tasks.size).padStart(12, "0")}`;
    const payload: Task["payload"] = request.task?.payload ?? {};
    const task = Task.fromPartial({ ...request.task, id, payload, state: State.PENDING, sequence: 1 });
    task.description = request.requestId;
    this.tasks.set(id, task);
    return task;
  }

  find(id: string): Task {
    const task = this.tasks.get(id);
    if (task !== undefined) return task;
    throw new TaskwireError({ code: "NOT_FOUND", reason: "TASK_NOT_FOUND", message: `there is no task ${id}` });
  }

  #methods(): Methods {
    return {
      createTask: unary(CreateTaskRequest, Task, (request) => {
        this.calls.push("create");
        return this.create(request);
      }),
      batchCreateTasks: unary(BatchCreateTasksRequest, BatchCreateTasksResponse, ({ requests }) => {
        this.calls.push(`batch ${requests.length}`);
        const index = requests.findIndex(({ task }) => task?.type === "bad");
        if (index >= 0) throw invalidArgument([{ field: `requests[${index}].task.type`, description: "is bad" }]);
        const tasks = requests.map((request) => this.create(request));
        return { tasks: tasks.map((task) => ({ ...task, payload: undefined, result: undefined })) };
      }),
      getTask: unary(GetTaskRequest, Task, ({ id }) => this.find(id)),
      listTasks: unary(ListTasksRequest, ListTasksResponse, ({ pageSize, pageToken }) => {
        const begin = Number(pageToken);
        const tasks = [...this.tasks.values()].slice(begin, begin + pageSize);
        const end = begin + tasks.length;
        return { tasks, nextPageToken: end < this.tasks.size ? String(end) : "" };
      }),
      cancelTask: unary(CancelTaskRequest, Task, ({ id }) => ({ ...this.find(id), state: State.CANCELLED })),
      retryTask: unary(RetryTaskRequest, Task, ({ id }) => ({ ...this.find(id), state: State.PENDING })),
      listTaskAttempts: unary(ListTaskAttemptsRequest, ListTaskAttemptsResponse, () => ({
        attempts: [],
        nextPageToken: "",
      })),
      listTaskEvents: unary(ListTaskEventsRequest, ListTaskEventsResponse, () => ({ events: [], nextPageToken: "" })),
      explainTask: unary(ExplainTaskRequest, TaskExplanation, ({ id }) => TaskExplanation.fromPartial(this.find(id))),
      watchTask: serverStream(WatchTaskRequest, WatchTaskResponse, ({ id }, call) => {
        call.write({ snapshot: this.find(id), events: [], heartbeat: undefined });
      }),
      watchTasks: serverStream(WatchTasksRequest, WatchTasksResponse, (_request, call) => {
        call.write(WatchTasksResponse.create({ resumeToken: "1", bookmark: { revision: 1 } }));
      }),
      runTask: serverStream(RunTaskRequest, RunTaskResponse, (request, call) => {
        this.calls.push("run");
        call.write({ task: this.create(request), events: [], heartbeat: undefined });
      }),
    };
  }
}
