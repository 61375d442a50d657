import { readFileSync } from "node:fs";
import { expect } from "chai";
import * as limits from "#libs/tasks/limits.js";
import { DEFAULT_MAX_ATTEMPTS, DEFAULT_RETRY_POLICY } from "#libs/tasks/retry-policy.js";

const KIB = 1024;
const HOUR_MS = 3_600_000;

/** The comment above a field, message or RPC of a .proto file, in one line. */
function commentOf(file: string, declaration: RegExp): string {
  const text = readFileSync(new URL(`../../../../../proto/taskwire/${file}`, import.meta.url), "utf8");
  const lines = text.split("\n");
  const at = lines.findIndex((line) => declaration.test(line));
  if (at < 0) throw new Error(`${file} declares nothing like ${declaration}`);
  const comment: string[] = [];
  for (let above = at - 1; /^\s*\/\//.test(lines[above] ?? ""); above -= 1) comment.unshift(lines[above] ?? "");
  return comment.map((line) => line.trim().replace(/^\/\/ ?/, "")).join(" ");
}

function figure(value: number): string {
  return value.toLocaleString("en-GB");
}

describe("The limits that the protocol's comments state are those of the code", () => {
  const task = "v1/task.proto";
  const event = "v1/task_event.proto";
  const service = "v1/task_service.proto";
  const report = "bus/v1/report.proto";
  const json = `${limits.MAX_JSON_BYTES / KIB} KiB`;
  const levels = `${limits.MAX_JSON_DEPTH} levels`;
  const day = `${limits.MAX_TIMEOUT_MS / HOUR_MS} h]`;
  const cases: readonly (readonly [file: string, declaration: RegExp, ...stated: string[]])[] = [
    [task, /Struct payload = /, json, levels],
    [task, /Value result = /, json, levels],
    [task, /> labels = 9/, `${limits.MAX_LABELS} pairs`, `${limits.MAX_LABEL_VALUE_BYTES} bytes`],
    [task, /string description = 10/, `${figure(limits.MAX_DESCRIPTION_CHARACTERS)} characters`],
    [task, /string url = 1/, `${figure(limits.MAX_WEBHOOK_URL_CHARACTERS)} characters`],
    [task, /int32 priority = 5/, `[${limits.MIN_PRIORITY}, ${limits.MAX_PRIORITY}]`],
    [task, /int32 max_attempts = 12/, `[1, ${limits.MAX_ATTEMPTS}]`, `else ${DEFAULT_MAX_ATTEMPTS}.`],
    [task, /Timestamp run_time = 18/, `${limits.MAX_RUN_DELAY_MS / HOUR_MS / 24} days`],
    [task, /Duration soft_timeout = 1/, `[${limits.MIN_TIMEOUT_MS} ms, ${day}`],
    [task, /Duration hard_timeout = 2/, `[${limits.MIN_TIMEOUT_MS} ms, ${day}`],
    [
      task,
      /int64 memory_bytes = 3/,
      `[${limits.MIN_MEMORY_BYTES / KIB ** 2} MiB, ${limits.MAX_MEMORY_BYTES / KIB ** 3} GiB]`,
    ],
    [
      task,
      /Duration initial_delay = 1/,
      `[0, ${limits.MAX_RETRY_DELAY_MS / HOUR_MS} h]`,
      `default ${DEFAULT_RETRY_POLICY.initialDelayMs / 1000} s`,
    ],
    [
      task,
      /Duration maximum_delay = 2/,
      `[0, ${limits.MAX_RETRY_DELAY_MS / HOUR_MS} h]`,
      `default ${DEFAULT_RETRY_POLICY.maximumDelayMs / 60_000} min`,
    ],
    [
      task,
      /double multiplier = 3/,
      `[1, ${limits.MAX_RETRY_MULTIPLIER}]`,
      `unset: ${DEFAULT_RETRY_POLICY.multiplier}.`,
    ],
    [task, /^ {2}string message = 2;/, `${limits.MAX_MESSAGE_CHARACTERS} characters`],
    [task, /^ {2}string message = 4;/, `${limits.MAX_PROGRESS_MESSAGE_CHARACTERS} characters`],
    [event, /string message = 2;/, `${limits.MAX_LOG_BYTES / KIB} KiB`],
    [event, /Struct fields = 3/, `${limits.MAX_LOG_BYTES / KIB} KiB`],
    [event, /string text = 2/, `${limits.MAX_OUTPUT_CHUNK_BYTES / KIB} KiB`],
    [event, /Value result = 1/, `${limits.MAX_EVENT_RESULT_BYTES / KIB} KiB`],
    [service, /rpc BatchCreateTasks/, `${figure(limits.MAX_BATCH_REQUESTS)} tasks`],
    [service, /CreateTaskRequest requests = 1/, `${figure(limits.MAX_BATCH_REQUESTS)} requests`],
    [service, /string request_id = 2/, `${limits.MAX_REQUEST_ID_CHARACTERS} printable`],
    [
      service,
      /string filter = 6/,
      `${figure(limits.MAX_FILTER_CHARACTERS)} characters`,
      `${limits.MAX_FILTER_DEPTH} open parentheses`,
      `${limits.MAX_FILTER_RESTRICTIONS} restrictions`,
    ],
    [service, /string reason = 2/, `${limits.MAX_MESSAGE_CHARACTERS} characters`],
    [report, /^message ReportBatch/, `${limits.MAX_BUS_BODY_BYTES / KIB} KiB`],
    [report, /string message = 4;/, `${limits.MAX_PROGRESS_MESSAGE_CHARACTERS} characters`],
    [report, /string fields_json = 3/, `${limits.MAX_LOG_BYTES / KIB} KiB`],
    [report, /string text = 2/, `${limits.MAX_OUTPUT_CHUNK_BYTES / KIB} KiB`],
    [report, /string result_json = 1/, json, levels],
    [report, /AttemptError warnings = 2/, `${limits.MAX_WARNINGS}`],
    [report, /string details_json = 4/, `${limits.MAX_ERROR_DETAILS_BYTES / KIB} KiB`],
  ];
  for (const [file, declaration, ...stated] of cases) {
    it(`${file} ${declaration.source}`, () => {
      const comment = commentOf(file, declaration);
      for (const words of stated) expect(comment).to.contain(words);
    });
  }
});
