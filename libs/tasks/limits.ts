/** Every bound of a task, in one place. The proto comments state the same figures; a test holds the two together. */

/** Largest payload and result, as JSON text in bytes. */
export const MAX_JSON_BYTES = 256 * 1024;
/** Deepest nesting of a payload or result. protobuf readers give up at 100 messages, which is 33 levels of JSON objects. */
export const MAX_JSON_DEPTH = 30;
/** Largest result that travels inside its event, as JSON text in bytes. */
export const MAX_EVENT_RESULT_BYTES = 16 * 1024;
/** Most labels of a task. */
export const MAX_LABELS = 32;
/** Longest label value, bytes of UTF-8. */
export const MAX_LABEL_VALUE_BYTES = 256;
/** Longest description, characters. */
export const MAX_DESCRIPTION_CHARACTERS = 1000;
/** Longest error message and cancel reason, characters. */
export const MAX_MESSAGE_CHARACTERS = 500;
/** Longest progress message, characters. */
export const MAX_PROGRESS_MESSAGE_CHARACTERS = 200;
/** Largest log line, and the largest fields beside it as JSON text, bytes each. */
export const MAX_LOG_BYTES = 4 * 1024;
/** Largest output chunk, bytes. */
export const MAX_OUTPUT_CHUNK_BYTES = 64 * 1024;
/** Largest details of an error as JSON text, bytes. */
export const MAX_ERROR_DETAILS_BYTES = 8 * 1024;
/** Most recorded warnings of a completed task. */
export const MAX_WARNINGS = 20;
/** Most requests of one batch. */
export const MAX_BATCH_REQUESTS = 1000;
/** Longest request id, characters. */
export const MAX_REQUEST_ID_CHARACTERS = 64;
/** Priorities: higher runs sooner. */
export const MIN_PRIORITY = -100;
export const MAX_PRIORITY = 100;
/** Most attempts a task may ask for. */
export const MAX_ATTEMPTS = 100;
/** Furthest `run_time`, milliseconds from now. */
export const MAX_RUN_DELAY_MS = 366 * 24 * 3600 * 1000;
/** Time limits of an attempt, milliseconds. */
export const MIN_TIMEOUT_MS = 10;
export const MAX_TIMEOUT_MS = 24 * 3600 * 1000;
/** Memory caps of an isolate, bytes. */
export const MIN_MEMORY_BYTES = 32 * 1024 * 1024;
export const MAX_MEMORY_BYTES = 64 * 1024 * 1024 * 1024;
/** Longest retry delay, milliseconds. */
export const MAX_RETRY_DELAY_MS = 24 * 3600 * 1000;
/** Largest retry multiplier. */
export const MAX_RETRY_MULTIPLIER = 10;
/** Most retryable codes, and most permanent codes, of a task. */
export const MAX_RETRY_CODES = 50;
/** Total timeouts of a task, milliseconds. */
export const MIN_TOTAL_TIMEOUT_MS = 10;
export const MAX_TOTAL_TIMEOUT_MS = 366 * 24 * 3600 * 1000;
/** Time without a watcher after which a task is cancelled, milliseconds. */
export const MIN_UNWATCHED_MS = 1000;
export const MAX_UNWATCHED_MS = 24 * 3600 * 1000;
/** Largest NATS body Taskwire sends, bytes; nats-server refuses above 1 MiB unless told otherwise. */
export const MAX_BUS_BODY_BYTES = 512 * 1024;
/** Longest filter, characters. */
export const MAX_FILTER_CHARACTERS = 16_000;
/** Most parentheses of a filter that are open at once. */
export const MAX_FILTER_DEPTH = 20;
/** Most restrictions of a filter, such as `type = "a"`. */
export const MAX_FILTER_RESTRICTIONS = 200;

/** Most characters of a webhook's URL. */
export const MAX_WEBHOOK_URL_CHARACTERS = 2048;
