import { text, wholeNumber } from "#libs/config/setting-kinds.js";
import type { Schema, Settings } from "#libs/config/settings.js";

/** The settings of `resume.process`. */
export const resumeSettings = {
  resumeDownloadTimeoutMs: wholeNumber({
    env: "TASKWIRE_RESUME_DOWNLOAD_TIMEOUT_MS",
    doc: "Time in which a resume must be downloaded, for each try.",
    default: 30_000,
    min: 10,
    max: 3_600_000,
    unit: "ms",
  }),
  resumeDownloadRetries: wholeNumber({
    env: "TASKWIRE_RESUME_DOWNLOAD_RETRIES",
    doc: "Further tries of a download within one attempt.",
    default: 3,
    min: 0,
    max: 10,
  }),
  resumeRetryDelayMs: wholeNumber({
    env: "TASKWIRE_RESUME_RETRY_DELAY_MS",
    doc: "Wait before the first further try of a download or of embeddings; doubles from try to try, up to ten times as long.",
    default: 1000,
    min: 0,
    max: 60_000,
    unit: "ms",
  }),
  resumeEmbeddingTimeoutMs: wholeNumber({
    env: "TASKWIRE_RESUME_EMBEDDING_TIMEOUT_MS",
    doc: "Time in which one call for the embeddings of a resume must be answered.",
    default: 60_000,
    min: 10,
    max: 3_600_000,
    unit: "ms",
  }),
  resumeEmbeddingRetries: wholeNumber({
    env: "TASKWIRE_RESUME_EMBEDDING_RETRIES",
    doc: "Further tries of such a call.",
    default: 3,
    min: 0,
    max: 10,
  }),
  resumeEmbeddingBatch: wholeNumber({
    env: "TASKWIRE_RESUME_EMBEDDING_BATCH",
    doc: "Chunks of a resume that are embedded in one call.",
    default: 16,
    min: 1,
    max: 256,
  }),
  resumeCheckpointDirectory: text({
    env: "TASKWIRE_RESUME_CHECKPOINT_DIRECTORY",
    doc: "Where finished stages of resumes are kept, encrypted, until their task completes; on a disk that workers share, each resumes what another began.",
    default: ".taskwire/checkpoints",
    allowed: "a path",
  }),
  resumeCheckpointDays: wholeNumber({
    env: "TASKWIRE_RESUME_CHECKPOINT_DAYS",
    doc: "Days after which the checkpoints of a resume that never completed are removed, by the next run on that worker.",
    default: 7,
    min: 1,
    max: 365,
    unit: "days",
  }),
  chromium: text({
    env: "TASKWIRE_CHROMIUM",
    doc: "The Chromium or Chrome that takes pictures of portfolios; empty: none are taken.",
    default: "",
    allowed: "a path",
  }),
  chromiumTimeoutMs: wholeNumber({
    env: "TASKWIRE_CHROMIUM_TIMEOUT_MS",
    doc: "Time in which a picture must be there; then the browser is killed.",
    default: 30_000,
    min: 10,
    max: 600_000,
    unit: "ms",
  }),
} satisfies Schema;

/** The values of {@link resumeSettings}. */
export type ResumeSettings = Settings<typeof resumeSettings>;
