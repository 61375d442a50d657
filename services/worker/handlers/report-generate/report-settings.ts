import { wholeNumber } from "#libs/config/setting-kinds.js";
import type { Schema } from "#libs/config/settings.js";
import { MAX_TIMEOUT_MS, MIN_TIMEOUT_MS } from "#libs/tasks/limits.js";

/** Settings of `report.generate`. */
export const reportSettings = {
  reportCallTimeoutMs: wholeNumber({
    env: "TASKWIRE_REPORT_CALL_TIMEOUT_MS",
    doc: "Time in which a section of a report must be written by the language model, further tries included; else the attempt ends with `LLM_TIMEOUT`.",
    default: 30_000,
    min: MIN_TIMEOUT_MS,
    max: MAX_TIMEOUT_MS,
    unit: "ms",
  }),
  reportFetchTimeoutMs: wholeNumber({
    env: "TASKWIRE_REPORT_FETCH_TIMEOUT_MS",
    doc: "Time in which a source of a report that is a URL must be there in full.",
    default: 30_000,
    min: MIN_TIMEOUT_MS,
    max: 600_000,
    unit: "ms",
  }),
} satisfies Schema;
