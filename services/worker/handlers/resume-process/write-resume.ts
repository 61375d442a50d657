import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { resumeArtifactContext } from "#libs/sealing/contexts.js";
import type { KeyRing } from "#libs/sealing/key-ring.js";
import { writeArtifact, type ArtifactWriter } from "#worker/handlers/report-generate/write-artifact.js";
import type { ResumeAnalysis } from "#worker/handlers/resume-process/analyse-resume.js";
import type { ResumeChunk } from "#worker/handlers/resume-process/cut-chunks.js";
import type { ChunkEmbeddings } from "#worker/handlers/resume-process/embed-chunks.js";
import type { ReadResume } from "#worker/handlers/resume-process/read-resume.js";

/** Where a sealed artifact is. */
export const writtenSchema = z.strictObject({ path: z.string(), sha256: z.string(), bytes: z.int() });

/** All that is known about a resume. */
export interface ResumeContent {
  readonly document: ReadResume;
  readonly analysis: ResumeAnalysis;
  readonly chunks: readonly ResumeChunk[];
  readonly embeddings: ChunkEmbeddings | null;
  /** PNG. */
  readonly picture: Buffer | null;
}

/**
 * Writes everything into one sealed file, whole or not at all: JSON with `version`, `taskId`, `document`, `facts`, `chunks` (each with its
 * `vector`, or null), `embeddings` and `picture` (base64, or null). Throws as `writeArtifact` does.
 */
export async function writeResume(
  path: string,
  content: ResumeContent,
  { ring, writer }: { readonly ring: KeyRing; readonly writer: ArtifactWriter },
): Promise<z.infer<typeof writtenSchema>> {
  const { document, analysis, chunks, embeddings, picture } = content;
  const { text, ...file } = document;
  const plain = JSON.stringify({
    version: 1,
    taskId: writer.taskId,
    document: { ...file, characters: text.length },
    facts: analysis.facts,
    chunks: chunks.map((chunk, index) => ({ ...chunk, vector: embeddings?.vectors[index] ?? null })),
    embeddings: embeddings === null ? null : { provider: embeddings.provider, model: embeddings.model },
    picture: picture?.toString("base64") ?? null,
  });
  const sealed = ring.seal(Buffer.from(plain), resumeArtifactContext(writer.taskId));
  return { ...(await writeArtifact(path, sealed, writer)) };
}

/** Whether the file is still there as it was written. */
export async function isIntact({ path, sha256 }: z.infer<typeof writtenSchema>): Promise<boolean> {
  const bytes = await readFile(path).catch(() => undefined);
  return bytes !== undefined && createHash("sha256").update(bytes).digest("hex") === sha256;
}
