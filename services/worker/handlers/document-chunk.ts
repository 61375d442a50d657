import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { z } from "zod";
import { defineTask, PermanentError, type TaskContext } from "#libs/define-task/define-task.js";
import { CHUNK_KINDS, chunkLimits, koreanShare } from "#worker/documents/chunk-limits.js";
import { type TextChunk, textChunks } from "#worker/documents/chunk-text.js";
import { DOCUMENT_FORMATS } from "#worker/documents/document-format.js";
import { artifactResult } from "#worker/handlers/document/artifact-schema.js";
import { loadText } from "#worker/handlers/document/load-text.js";
import { handlerSettings } from "#worker/handlers/handler-settings.js";
import { ARTIFACT_DIRECTORY, artifactPath } from "#worker/handlers/report-generate/artifact-path.js";
import { refuseDirectory, writeArtifact } from "#worker/handlers/report-generate/write-artifact.js";
import { hasOneSource, languageField, ONE_SOURCE, pathField } from "#worker/handlers/text-digest/digest-schema.js";

/** Chunks up to this size together, as bytes of JSON, travel in the result. */
const MAX_INLINE_BYTES = 128 * 1024;
/** Chunks between two looks at the signal. */
const TURN = 200;
/** Most chunks of one text: below this they and the artifact fit into memory. */
const MAX_CHUNKS = 500_000;

const payload = z
  .strictObject({
    path: pathField.optional(),
    text: z.string().optional(),
    /** Chooses the limits of the settings. */
    kind: z.enum(CHUNK_KINDS).default("section"),
    /** Overrides the settings' limits. */
    maxCharacters: z.int().min(100).max(1_000_000).optional(),
    overlapCharacters: z.int().min(0).max(500_000).optional(),
    /** Whose rules for sentences hold; default: Korean where more than half of the letters are, else Unicode's own. */
    language: languageField.optional(),
    /** Where the chunks are written, also few; default for many `.taskwire/artifacts/<task id>.chunks.jsonl`. */
    outputPath: pathField.optional(),
  })
  .refine(hasOneSource, ONE_SOURCE);

const chunk = z.object({ index: z.int(), start: z.int(), end: z.int(), text: z.string() });

const result = z.object({
  format: z.enum(DOCUMENT_FORMATS),
  kind: z.enum(CHUNK_KINDS),
  characters: z.int().min(0),
  koreanShare: z.number().min(0).max(1),
  maxCharacters: z.int(),
  overlapCharacters: z.int(),
  count: z.int().min(0),
  /** From the first one on those that fit into 128 KiB; all of them where there is no `artifact`. */
  chunks: z.array(chunk),
  artifact: artifactResult.optional(),
});

/** `document.chunk`: a text, or the text of a document, in chunks that end with sentences. */
export default defineTask(
  "document.chunk",
  {
    payload,
    result,
    softTimeoutMs: 300_000,
    hardTimeoutMs: 330_000,
    permanentCodes: ["OUT_OF_MEMORY"],
  },
  async (task) => {
    const { kind, outputPath } = task.payload;
    const settings = handlerSettings();
    task.progress(0, "reading");
    if (outputPath !== undefined) await refuseDirectory(artifactPath(task.taskId, outputPath));
    const { text, format } = await loadText(task.payload, { signal: task.signal, settings });
    const limits = limitsOf(text, task.payload);
    const share = koreanShare(text);
    const language = task.payload.language ?? (share > 0.5 ? "ko" : "und");
    task.progress(0.5, "cutting");
    const chunks = await cut(text, { ...limits, language }, task);
    const lines = chunks.map((one) => JSON.stringify(one));
    const inlined = inlineCount(lines);
    const path =
      outputPath ?? (inlined === chunks.length ? undefined : join(ARTIFACT_DIRECTORY, `${task.taskId}.chunks.jsonl`));
    if (path !== undefined) task.progress(0.9, "writing");
    const artifact =
      path === undefined
        ? undefined
        : await writeArtifact(artifactPath(task.taskId, path), lines.map((line) => `${line}\n`).join(""), task);
    task.progress(1, "done");
    return {
      format,
      kind,
      characters: text.length,
      koreanShare: Math.round(share * 1000) / 1000,
      ...limits,
      count: chunks.length,
      chunks: chunks.slice(0, inlined),
      ...(artifact === undefined ? {} : { artifact }),
    };
  },
);

function limitsOf(
  text: string,
  given: z.infer<typeof payload>,
): { readonly maxCharacters: number; readonly overlapCharacters: number } {
  const settings = chunkLimits(given.kind, text, handlerSettings());
  const maxCharacters = given.maxCharacters ?? settings.maxCharacters;
  const most = Math.floor(maxCharacters / 2);
  const overlapCharacters = given.overlapCharacters ?? Math.min(settings.overlapCharacters, most);
  if (overlapCharacters > most) {
    throw new PermanentError(
      "OVERLAP_TOO_LARGE",
      `overlapCharacters is ${overlapCharacters}; at most half of maxCharacters (${maxCharacters}) may repeat`,
    );
  }
  return { maxCharacters, overlapCharacters };
}

async function cut(
  text: string,
  options: { readonly maxCharacters: number; readonly overlapCharacters: number; readonly language: string },
  task: TaskContext<unknown>,
): Promise<TextChunk[]> {
  const chunks: TextChunk[] = [];
  for (const one of textChunks(text, options)) {
    chunks.push(one);
    if (chunks.length > MAX_CHUNKS) {
      throw new PermanentError("TOO_MANY_CHUNKS", `the text has more than ${MAX_CHUNKS} chunks; let them be longer`);
    }
    if (chunks.length % TURN > 0) continue;
    await nextTurn();
    task.signal.throwIfAborted();
    task.progress(0.5 + (0.4 * one.end) / text.length, "cutting");
  }
  return chunks;
}

/** How many of these lines, from the first on, fit into the result. */
function inlineCount(lines: readonly string[]): number {
  let bytes = 0;
  for (const [index, line] of lines.entries()) {
    bytes += Buffer.byteLength(line) + 1;
    if (bytes > MAX_INLINE_BYTES) return index;
  }
  return lines.length;
}
