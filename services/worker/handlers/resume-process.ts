import { defineTask, PartialFailure, PermanentError } from "#libs/define-task/define-task.js";
import { handlerSettings } from "#worker/handlers/handler-settings.js";
import { CheckpointStore, removeStaleCheckpoints } from "#worker/handlers/resume-process/checkpoint-store.js";
import { openVault } from "#worker/handlers/resume-process/open-vault.js";
import { resumePayload, resumeResult } from "#worker/handlers/resume-process/resume-schema.js";

/** `resume.process`: a resume → masked facts, and one sealed file with everything personal, its chunks and their embeddings. */
export default defineTask(
  "resume.process",
  {
    payload: resumePayload,
    result: resumeResult,
    maxAttempts: 3,
    softTimeoutMs: 1_800_000,
    hardTimeoutMs: 1_860_000,
  },
  async (task) => {
    // What it stands on takes a third of a second to load, and every worker process loads this file.
    const { processResume } = await import("#worker/handlers/resume-process/process-resume.js");
    const ring = openVault();
    const settings = handlerSettings();
    const directory = settings.resumeCheckpointDirectory;
    const checkpoints = new CheckpointStore({ directory, ring, input: task.payload, writer: task });
    await removeStaleCheckpoints(directory, settings.resumeCheckpointDays);
    try {
      const { result, warnings } = await processResume({ task, settings, ring, checkpoints });
      await checkpoints.remove();
      task.progress(1, "done");
      if (warnings.length > 0) throw new PartialFailure(result, warnings);
      return result;
    } catch (error) {
      // No other attempt follows. What cannot be removed is swept later.
      if (error instanceof PermanentError) await checkpoints.remove().catch(() => undefined);
      throw error;
    }
  },
);
