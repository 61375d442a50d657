import { PermanentError, RetryableError } from "#libs/define-task/define-task.js";
import { runHandler } from "#test/support/run-handler.js";
import reportGenerate from "#worker/handlers/report-generate.js";

/** A process that writes one report to the path in its arguments, and tells its parent how that ended. */
async function main(outputPath: string): Promise<void> {
  try {
    await runHandler(reportGenerate, {
      topic: "tides",
      documents: [{ text: "The moon makes the tides." }],
      outputPath,
    });
    process.send?.({ code: "", isRetryable: false, message: "" });
  } catch (error) {
    if (!(error instanceof PermanentError || error instanceof RetryableError)) throw error;
    const { code, message } = error;
    process.send?.({ code, isRetryable: error instanceof RetryableError, message });
  }
  process.disconnect();
}

await main(process.argv[2] ?? "");
