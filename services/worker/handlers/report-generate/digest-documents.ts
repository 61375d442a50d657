import { PermanentError } from "#libs/define-task/define-task.js";
import type { ReportDocument } from "#worker/handlers/report-generate/index-relevance.js";
import { loadSource, nameOf, placeOf } from "#worker/handlers/report-generate/load-source.js";
import type { ReportSource } from "#worker/handlers/report-generate/report-payload.js";
import type { SkippedDocument } from "#worker/handlers/report-generate/report-markdown.js";
import { digestDocument } from "#worker/handlers/text-digest/digest-document.js";

/** Documents of a report, in the order of the payload. */
export interface DigestedDocuments {
  readonly documents: readonly ReportDocument[];
  readonly skipped: readonly SkippedDocument[];
}

const SUMMARY_SENTENCES = 3;
const PHRASES = 8;
/** Of a document, as material for written sections. */
const EXCERPT_CHARACTERS = 6000;

/**
 * Reads and digests documents one after the other, telling which. One that cannot be read for good, or has no words, is skipped
 * with its reason; a passing failure fails the attempt, so that no report goes out without a document that is there.
 */
export async function digestDocuments(
  sources: readonly ReportSource[],
  signal: AbortSignal,
  onDocument: (index: number, name: string) => void,
): Promise<DigestedDocuments> {
  const documents: ReportDocument[] = [];
  const skipped: SkippedDocument[] = [];
  for (const [index, source] of sources.entries()) {
    signal.throwIfAborted();
    onDocument(index, nameOf(source, index));
    const place = placeOf(source);
    try {
      const document = await loadSource(source, signal);
      const digest = await digestDocument(document, {
        sentences: SUMMARY_SENTENCES,
        phrases: PHRASES,
        signal,
      });
      if (digest.words === 0) skipped.push({ path: place ?? `documents[${index}]`, reason: "EMPTY: no words" });
      else
        documents.push({
          index,
          path: place,
          digest,
          excerpt: document.text.slice(0, EXCERPT_CHARACTERS).toWellFormed(),
        });
    } catch (error) {
      if (!(error instanceof PermanentError)) throw error;
      skipped.push({ path: place ?? `documents[${index}]`, reason: `${error.code}: ${error.message}` });
    }
  }
  return { documents, skipped };
}
