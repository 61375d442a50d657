import { PermanentError, type TaskContext } from "#libs/define-task/define-task.js";
import type { ReportDocument } from "#worker/handlers/report-generate/rank-documents.js";
import type { SkippedDocument } from "#worker/handlers/report-generate/report-markdown.js";
import { digestDocument } from "#worker/handlers/text-digest/digest-document.js";
import { readDocument, type DocumentSource } from "#worker/handlers/text-digest/read-document.js";

/** Documents of a report, in the order of the payload. */
export interface DigestedDocuments {
  readonly documents: readonly ReportDocument[];
  readonly skipped: readonly SkippedDocument[];
}

const SUMMARY_SENTENCES = 3;
const PHRASES = 8;

/**
 * Reads and digests documents one after the other, telling the progress. One that cannot be read for good, or has no words, is skipped
 * with its reason; a passing failure fails the attempt, so that no report goes out without a document that is there.
 */
export async function digestDocuments(
  sources: readonly DocumentSource[],
  task: Pick<TaskContext, "signal" | "progress">,
): Promise<DigestedDocuments> {
  const documents: ReportDocument[] = [];
  const skipped: SkippedDocument[] = [];
  for (const [index, source] of sources.entries()) {
    task.signal.throwIfAborted();
    const name = source.path ?? `documents[${index}]`;
    task.progress({ current: index, total: sources.length, message: source.title ?? name });
    try {
      const document = await readDocument(source);
      const digest = await digestDocument(document, {
        sentences: SUMMARY_SENTENCES,
        phrases: PHRASES,
        signal: task.signal,
      });
      if (digest.words === 0) skipped.push({ path: name, reason: "EMPTY: no words" });
      else documents.push({ index, path: source.path, digest });
    } catch (error) {
      if (!(error instanceof PermanentError)) throw error;
      skipped.push({ path: name, reason: `${error.code}: ${error.message}` });
    }
  }
  task.progress({ current: sources.length, total: sources.length, message: "ranking and writing" });
  return { documents, skipped };
}
