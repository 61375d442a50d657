import type { BusConnection } from "#libs/bus/bus-connection.js";
import type { Logger } from "#libs/log/logger.js";
import { Task, TaskView } from "#libs/proto/gen/taskwire/v1/task.js";
import * as tasks from "#libs/proto/gen/taskwire/v1/task_service.js";
import { TaskExplanation } from "#libs/proto/gen/taskwire/v1/task_explanation.js";
import * as workers from "#libs/proto/gen/taskwire/v1/worker_service.js";
import type { GrpcServer } from "#libs/rpc/grpc-server.js";
import { serverStream, unary } from "#libs/rpc/service-definition.js";
import { cancelTask, type CancelContext } from "#task-service/rpc/cancel-task.js";
import { batchCreateTasks, createTask, type CreateContext } from "#task-service/rpc/create-tasks.js";
import { explainTask } from "#task-service/rpc/explain-task.js";
import { listTasks } from "#task-service/rpc/list-tasks.js";
import { presentTask } from "#task-service/rpc/present-task.js";
import { listTaskAttempts } from "#task-service/rpc/list-attempts.js";
import { listTaskEvents } from "#task-service/rpc/list-events.js";
import { readTask } from "#task-service/rpc/read-task.js";
import type { DispatchView } from "#task-service/rpc/task-reasons.js";
import { retryTask } from "#task-service/rpc/retry-task.js";
import { runTask } from "#task-service/rpc/run-task.js";
import { requireTaskId, Violations } from "#task-service/rpc/violations.js";
import { watchTask } from "#task-service/rpc/watch-task.js";
import { watchTasks } from "#task-service/rpc/watch-tasks.js";
import { WatchLimits, type WatchLimitOptions } from "#task-service/rpc/watch-limits.js";
import { ping, presentWorker } from "#task-service/rpc/worker-rpcs.js";
import type { NewTask } from "#task-service/store/task-record.js";
import type { TaskStore } from "#task-service/store/task-store.js";
import type { AttachedRuns } from "#task-service/watch/attached-runs.js";
import type { LogHub } from "#task-service/watch/log-hub.js";
import type { WatchHub } from "#task-service/watch/watch-hub.js";
import type { WorkerRegistry } from "#task-service/workers/worker-registry.js";

/** What the RPCs reach. */
export interface RpcContext {
  readonly store: TaskStore;
  readonly hub: WatchHub;
  readonly logHub: LogHub;
  readonly bus: BusConnection;
  readonly registry: WorkerRegistry;
  readonly dispatcher: {
    expect(tasks: readonly NewTask[]): void;
    forget(tasks: readonly NewTask[]): void;
    lookAt(id: string, queue: string): DispatchView;
  };
  readonly cancelling: CancelContext;
  readonly runs: AttachedRuns;
  readonly watchLimits: WatchLimitOptions;
  readonly logger: Logger;
}

/** Adds TaskService and WorkerService to a server: which RPC is answered by what. */
export function addServices(server: GrpcServer, context: RpcContext): void {
  const { store, hub, bus, registry, dispatcher, logger } = context;
  const creating: CreateContext = {
    store,
    expect: (added) => {
      dispatcher.expect(added);
    },
    forget: (added) => {
      dispatcher.forget(added);
    },
  };
  const limits = new WatchLimits(context.watchLimits);
  const running = { creating, hub, attach: (id: string) => context.runs.attach(id), logger };
  server.addService(tasks.TaskServiceService, {
    createTask: unary(tasks.CreateTaskRequest, Task, (request) => createTask(creating, request)),
    batchCreateTasks: unary(tasks.BatchCreateTasksRequest, tasks.BatchCreateTasksResponse, async (request) => ({
      tasks: await batchCreateTasks(creating, request),
    })),
    getTask: unary(tasks.GetTaskRequest, Task, (request) => getTask(store, request)),
    listTasks: unary(tasks.ListTasksRequest, tasks.ListTasksResponse, (request) => listTasks(store, request)),
    cancelTask: unary(tasks.CancelTaskRequest, Task, (request) => cancelTask(context.cancelling, request)),
    retryTask: unary(tasks.RetryTaskRequest, Task, (request) => retryTask(store, request)),
    listTaskAttempts: unary(tasks.ListTaskAttemptsRequest, tasks.ListTaskAttemptsResponse, (request) =>
      listTaskAttempts(store, request),
    ),
    listTaskEvents: unary(tasks.ListTaskEventsRequest, tasks.ListTaskEventsResponse, (request) =>
      listTaskEvents(store, request),
    ),
    explainTask: unary(tasks.ExplainTaskRequest, TaskExplanation, (request) => explainTask(context, request)),
    watchTask: serverStream(tasks.WatchTaskRequest, tasks.WatchTaskResponse, (request, call) => {
      limits.admit(call);
      watchTask(hub, logger, request, call);
    }),
    watchTasks: serverStream(tasks.WatchTasksRequest, tasks.WatchTasksResponse, (request, call) => {
      limits.admit(call);
      watchTasks(context.logHub, logger, request, call);
    }),
    runTask: serverStream(tasks.RunTaskRequest, tasks.RunTaskResponse, (request, call) => {
      limits.admit(call);
      return runTask(running, request, call);
    }),
  });
  server.addService(workers.WorkerServiceService, {
    listWorkers: unary(workers.ListWorkersRequest, workers.ListWorkersResponse, () => ({
      workers: registry.living().map(presentWorker),
      time: new Date(),
    })),
    ping: unary(workers.PingRequest, workers.PingResponse, (request) => ping(bus, registry, request)),
  });
}

async function getTask(store: TaskStore, request: tasks.GetTaskRequest): Promise<Task> {
  const violations = new Violations();
  const isView = TaskView[request.view] !== undefined && request.view !== TaskView.UNRECOGNIZED;
  violations.expect(isView, "view", "must be TASK_VIEW_BASIC or TASK_VIEW_FULL");
  const id = requireTaskId(request.id, violations);
  return presentTask(await readTask(store, id, request.view !== TaskView.TASK_VIEW_BASIC));
}
