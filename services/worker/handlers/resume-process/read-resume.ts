import { createHash } from "node:crypto";
import { z } from "zod";
import { DOCUMENT_FORMATS } from "#worker/documents/document-format.js";
import { extractDocument } from "#worker/documents/extract-document.js";
import type { HandlerSettings } from "#worker/handlers/handler-settings.js";
import type { CheckpointStore } from "#worker/handlers/resume-process/checkpoint-store.js";
import { obtainFile, type FileSource, type ObtainedFile } from "#worker/handlers/resume-process/obtain-file.js";
import type { Stages } from "#worker/handlers/resume-process/stages.js";

const readSchema = z.strictObject({
  format: z.enum(DOCUMENT_FORMATS),
  text: z.string().min(1),
  pages: z.int().nullable(),
  sha256: z.string(),
  bytes: z.int(),
});

/** The text of a resume, and facts about its file. */
export type ReadResume = z.infer<typeof readSchema>;

const factsSchema = z.strictObject({ name: z.string().optional(), contentType: z.string().optional() });
const FACTS = "file-facts";

/** Longer documents are no resumes; their vectors would not fit into memory. */
const MAX_RESUME_CHARACTERS = 1_000_000;

/** What reading goes by. */
export interface ReadOptions {
  readonly settings: HandlerSettings;
  readonly stages: Stages;
  readonly checkpoints: CheckpointStore;
  readonly signal: AbortSignal;
}

/**
 * Obtains a file and takes its text out: two stages. A download is kept until its text is there; a file on disk is read again. Throws what
 * `obtainFile` and `extractDocument` throw; above a million characters, `INVALID_FILE`.
 */
export async function readResume(source: FileSource, options: ReadOptions): Promise<ReadResume> {
  const { settings, stages, checkpoints, signal } = options;
  const read = async (): Promise<ReadResume> => {
    const file = source.url === undefined ? obtainFile(source, { settings, signal }) : downloadOnce(source, options);
    const { bytes, name, contentType } = await file;
    stages.enter("text");
    const documentCharacters = Math.min(settings.documentCharacters, MAX_RESUME_CHARACTERS);
    const limits = { ...settings, documentCharacters };
    const { format, text, pages } = await extractDocument(bytes, { name, contentType, signal, limits });
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    return { format, text, pages: pages ?? null, sha256, bytes: bytes.length };
  };
  const text = await stages.run("text", readSchema, read, "file");
  await checkpoints.remove("file");
  return text;
}

async function downloadOnce(source: FileSource, options: ReadOptions): Promise<ObtainedFile> {
  const { settings, stages, checkpoints, signal } = options;
  const bytes = await stages.runBytes("file", async () => {
    const file = await obtainFile(source, { settings, signal });
    await checkpoints.save(FACTS, { name: file.name, contentType: file.contentType });
    return file.bytes;
  });
  const facts = await checkpoints.load(FACTS, factsSchema);
  return { bytes, name: facts?.name, contentType: facts?.contentType };
}
