import { z } from "zod";
import { defineTask, PermanentError } from "#libs/define-task/define-task.js";
import { artifactPath } from "#worker/handlers/report-generate/artifact-path.js";
import { digestDocuments } from "#worker/handlers/report-generate/digest-documents.js";
import { rankDocuments } from "#worker/handlers/report-generate/rank-documents.js";
import { REPORT_LANGUAGES } from "#worker/handlers/report-generate/report-labels.js";
import { reportMarkdown } from "#worker/handlers/report-generate/report-markdown.js";
import { refuseDirectory, writeArtifact } from "#worker/handlers/report-generate/write-artifact.js";
import { documentFields, hasOneSource, ONE_SOURCE, pathField } from "#worker/handlers/text-digest/digest-schema.js";

/** Skipped documents named in the result; the report names all. */
const MAX_SKIPPED_IN_RESULT = 100;
const MAX_REASON_CHARACTERS = 300;

const payload = z.object({
  topic: z.string().trim().min(1).max(500),
  documents: z.array(z.object(documentFields).refine(hasOneSource, ONE_SOURCE)).min(1).max(2000),
  /** The report's file, absolute or relative to the worker's directory; default `.taskwire/artifacts/<task id>.md`. */
  outputPath: pathField.optional(),
  /** The language of headings and figures. */
  language: z.enum(REPORT_LANGUAGES).default("en"),
});

const result = z.object({
  path: z.string(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.int().min(1),
  documents: z.int().min(1),
  skippedCount: z.int().min(0),
  skipped: z.array(z.object({ path: z.string(), reason: z.string() })).max(MAX_SKIPPED_IN_RESULT),
  createTime: z.iso.datetime(),
});

/** `report.generate`: one Markdown report about a topic over many documents, written whole or not at all. */
export default defineTask("report.generate", { payload, result }, async (task) => {
  const { topic, language, outputPath } = task.payload;
  const path = artifactPath(task.taskId, outputPath);
  await refuseDirectory(path);
  const { documents, skipped } = await digestDocuments(task.payload.documents, task);
  if (documents.length === 0) {
    throw new PermanentError(
      "NO_DOCUMENTS",
      `none of the ${skipped.length} documents can be used; the first: ${skipped[0]?.reason ?? ""}`,
    );
  }
  const ranked = await rankDocuments(topic, documents);
  task.signal.throwIfAborted();
  const text = reportMarkdown({ topic, language, documents: ranked, skipped });
  const artifact = await writeArtifact(path, text, task);
  if (skipped.length > 0) task.log.warn("some documents were skipped", { skipped: skipped.length });
  return {
    ...artifact,
    documents: documents.length,
    skippedCount: skipped.length,
    skipped: skipped.slice(0, MAX_SKIPPED_IN_RESULT).map(({ path: name, reason }) => ({
      path: name.slice(0, MAX_REASON_CHARACTERS).toWellFormed(),
      reason: reason.slice(0, MAX_REASON_CHARACTERS).toWellFormed(),
    })),
    createTime: new Date().toISOString(),
  };
});
