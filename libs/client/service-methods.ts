import { Task } from "#libs/proto/gen/taskwire/v1/task.js";
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
  RetryTaskRequest,
  RunTaskRequest,
  RunTaskResponse,
  TaskServiceService,
  WatchTaskRequest,
  WatchTaskResponse,
  WatchTasksRequest,
  WatchTasksResponse,
} from "#libs/proto/gen/taskwire/v1/task_service.js";
import {
  ListWorkersRequest,
  ListWorkersResponse,
  PingRequest,
  PingResponse,
  WorkerServiceService,
} from "#libs/proto/gen/taskwire/v1/worker_service.js";

const tasks = TaskServiceService;
const workers = WorkerServiceService;

export const createTask = { path: tasks.createTask.path, request: CreateTaskRequest, response: Task };
export const batchCreateTasks = {
  path: tasks.batchCreateTasks.path,
  request: BatchCreateTasksRequest,
  response: BatchCreateTasksResponse,
};
export const getTask = { path: tasks.getTask.path, request: GetTaskRequest, response: Task };
export const listTasks = { path: tasks.listTasks.path, request: ListTasksRequest, response: ListTasksResponse };
export const cancelTask = { path: tasks.cancelTask.path, request: CancelTaskRequest, response: Task };
export const retryTask = { path: tasks.retryTask.path, request: RetryTaskRequest, response: Task };
export const listTaskAttempts = {
  path: tasks.listTaskAttempts.path,
  request: ListTaskAttemptsRequest,
  response: ListTaskAttemptsResponse,
};
export const listTaskEvents = {
  path: tasks.listTaskEvents.path,
  request: ListTaskEventsRequest,
  response: ListTaskEventsResponse,
};
export const explainTask = { path: tasks.explainTask.path, request: ExplainTaskRequest, response: TaskExplanation };
export const watchTask = { path: tasks.watchTask.path, request: WatchTaskRequest, response: WatchTaskResponse };
export const watchTasks = { path: tasks.watchTasks.path, request: WatchTasksRequest, response: WatchTasksResponse };
export const runTask = { path: tasks.runTask.path, request: RunTaskRequest, response: RunTaskResponse };
export const listWorkers = {
  path: workers.listWorkers.path,
  request: ListWorkersRequest,
  response: ListWorkersResponse,
};
export const ping = { path: workers.ping.path, request: PingRequest, response: PingResponse };
