import { join } from "node:path";
import { z } from "zod";
import { defineTask } from "#libs/define-task/define-task.js";
import { koreanShare } from "#worker/documents/chunk-limits.js";
import { textChunks } from "#worker/documents/chunk-text.js";
import { DOCUMENT_FORMATS } from "#worker/documents/document-format.js";
import { artifactResult } from "#worker/handlers/document/artifact-schema.js";
import { loadText } from "#worker/handlers/document/load-text.js";
import { handlerSettings } from "#worker/handlers/handler-settings.js";
import { ARTIFACT_DIRECTORY, artifactPath } from "#worker/handlers/report-generate/artifact-path.js";
import { refuseDirectory, writeArtifact } from "#worker/handlers/report-generate/write-artifact.js";
import { hasOneSource, ONE_SOURCE, pathField } from "#worker/handlers/text-digest/digest-schema.js";

/** Texts up to this size, in bytes of UTF-8, travel in the result. */
const MAX_INLINE_BYTES = 64 * 1024;
const MAX_PREVIEW_CHARACTERS = 4000;

const payload = z
  .strictObject({
    /** A file on the worker's machine, absolute or relative to the worker's directory. */
    path: pathField.optional(),
    /** The text itself. */
    text: z.string().min(1).optional(),
    /** Where the text is written, also a small one; default for a large one `.taskwire/artifacts/<task id>.txt`. */
    outputPath: pathField.optional(),
    previewCharacters: z.int().min(2).max(MAX_PREVIEW_CHARACTERS).default(500),
  })
  .refine(hasOneSource, ONE_SOURCE);

const result = z.object({
  format: z.enum(DOCUMENT_FORMATS),
  title: z.string().optional(),
  pages: z.int().min(1).optional(),
  characters: z.int().min(0),
  words: z.int().min(0),
  paragraphs: z.int().min(0),
  koreanShare: z.number().min(0).max(1),
  preview: z.string().max(MAX_PREVIEW_CHARACTERS),
  text: z.string().optional(),
  artifact: artifactResult.optional(),
});

/** `document.extract`: the text of a PDF, DOCX, HWP 5, HWPX, Markdown or text file. */
export default defineTask(
  "document.extract",
  {
    payload,
    result,
    softTimeoutMs: 300_000,
    hardTimeoutMs: 330_000,
    // A document that once took all memory does so again.
    permanentCodes: ["OUT_OF_MEMORY"],
  },
  async (task) => {
    const { outputPath, previewCharacters } = task.payload;
    task.progress(0, "reading");
    if (outputPath !== undefined) await refuseDirectory(artifactPath(task.taskId, outputPath));
    const { text, ...about } = await loadText(task.payload, {
      signal: task.signal,
      settings: handlerSettings(),
      onPage: (page, pages) => task.progress({ current: page, total: pages, message: "extracting" }),
    });
    task.signal.throwIfAborted();
    const inline = Buffer.byteLength(text) <= MAX_INLINE_BYTES;
    const path = outputPath ?? (inline ? undefined : join(ARTIFACT_DIRECTORY, `${task.taskId}.txt`));
    if (path !== undefined) task.progress(0.95, "writing");
    const artifact = path === undefined ? undefined : await writeArtifact(artifactPath(task.taskId, path), text, task);
    task.progress(1, "done");
    return {
      ...about,
      characters: text.length,
      words: count(text, /[\p{L}\p{M}\p{N}]+(?:['’.][\p{L}\p{M}\p{N}]+)*/gu),
      paragraphs: paragraphsOf(text),
      koreanShare: Math.round(koreanShare(text) * 1000) / 1000,
      preview: previewOf(text, previewCharacters),
      ...(inline ? { text } : {}),
      ...(artifact === undefined ? {} : { artifact }),
    };
  },
);

/** The beginning of a text, cut at the end of a sentence where one fits. */
function previewOf(text: string, maxCharacters: number): string {
  const [first] = textChunks(text, { maxCharacters, overlapCharacters: 0 });
  return first?.text.trimEnd() ?? "";
}

/** Blocks between empty lines. */
function paragraphsOf(text: string): number {
  const trimmed = text.trim();
  return trimmed === "" ? 0 : count(trimmed, /\n[ \t\r]*\n\s*/g) + 1;
}

function count(text: string, pattern: RegExp): number {
  let found = 0;
  for (const matches = text.matchAll(pattern); matches.next().done !== true;) found += 1;
  return found;
}
