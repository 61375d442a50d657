import { createHash } from "node:crypto";
import { z } from "zod";
import { RetryableError } from "#libs/define-task/define-task.js";
import type { CheckpointStore } from "#worker/handlers/resume-process/checkpoint-store.js";
import type { ResumeSettings } from "#worker/handlers/resume-process/resume-settings.js";
import { tryAgain } from "#worker/handlers/resume-process/try-again.js";
import type { Embedder } from "#worker/language-model/embedder.js";
import { addUsage, type TokenUsage } from "#worker/language-model/language-model.js";

/** Vectors of chunks, in their order; null where none could be had. */
export interface ChunkEmbeddings {
  readonly provider: string;
  readonly model: string;
  /** Length of every vector; null while there is none. */
  readonly dimensions: number | null;
  readonly vectors: readonly (readonly number[] | null)[];
  /** Chunks without a vector. */
  readonly failed: number;
  /** Code of the last failure; null: none. */
  readonly failureCode: string | null;
  readonly usage: TokenUsage;
}

/** What embedding goes by. */
export interface EmbedOptions {
  /** Tries once per call, and for as long as it may: trying again is done here. */
  readonly embedder: Embedder;
  readonly settings: ResumeSettings;
  readonly checkpoints: CheckpointStore;
  readonly signal: AbortSignal;
  /** Told after each batch: chunks done, and all. */
  readonly onProgress: (done: number, total: number) => void;
}

const batchSchema = z.strictObject({
  vectors: z.array(z.array(z.number())).min(1),
  usage: z.strictObject({ inputTokens: z.number(), outputTokens: z.number() }),
});

type Batch = z.infer<typeof batchSchema>;

/** Null: nothing was asked for. */
interface Failure {
  readonly failureCode: string | null;
}

/** After so many failed batches in a row the rest is not tried: the provider is away. */
const GIVE_UP_AFTER = 2;

/**
 * Embeds texts batch by batch. A batch that is done is checkpointed and never asked for again by a later attempt; one that fails in the end
 * leaves its chunks without vectors. Throws the signal's reason, and what writing a checkpoint throws.
 */
export async function embedChunks(texts: readonly string[], options: EmbedOptions): Promise<ChunkEmbeddings> {
  const { embedder, settings, onProgress } = options;
  const vectors: (readonly number[] | null)[] = [];
  let dimensions: number | null = null;
  let usage: TokenUsage = { inputTokens: 0, outputTokens: 0 };
  let failureCode: string | null = null;
  let failedInRow = 0;
  for (let start = 0; start < texts.length; start += settings.resumeEmbeddingBatch) {
    const batch = texts.slice(start, start + settings.resumeEmbeddingBatch);
    const done: Batch | Failure = await embedBatch(batch, dimensions, failedInRow >= GIVE_UP_AFTER, options);
    if ("failureCode" in done) {
      failureCode = done.failureCode ?? failureCode;
      failedInRow += 1;
      vectors.push(...batch.map(() => null));
    } else {
      dimensions = done.vectors[0]?.length ?? dimensions;
      usage = addUsage(usage, done.usage);
      failedInRow = 0;
      vectors.push(...done.vectors);
    }
    onProgress(Math.min(start + batch.length, texts.length), texts.length);
  }
  const failed = vectors.filter((vector) => vector === null).length;
  const { provider, model } = embedder;
  return { provider, model, dimensions, vectors, failed, failureCode, usage };
}

async function embedBatch(
  texts: readonly string[],
  dimensions: number | null,
  onlyCheckpoint: boolean,
  { embedder, settings, checkpoints, signal }: EmbedOptions,
): Promise<Batch | Failure> {
  const stage = `embeddings-${hashOf([embedder.provider, embedder.model, ...texts])}`;
  const kept = await checkpoints.load(stage, batchSchema);
  if (kept !== undefined && isSound(kept.vectors, texts.length, dimensions)) return kept;
  if (onlyCheckpoint) return { failureCode: null };
  const call = async (): Promise<Batch> => {
    const { vectors, usage } = await embedder.embed(texts, { signal });
    if (!isSound(vectors, texts.length, dimensions)) {
      throw new RetryableError("LLM_PARSE_ERROR", "the embeddings do not fit the texts");
    }
    return { vectors: vectors.map((vector) => [...vector]), usage };
  };
  const { resumeEmbeddingRetries: retries, resumeRetryDelayMs: delayMs } = settings;
  const done = await tryAgain(call, { retries, delayMs, signal }).catch((error: unknown): Failure => {
    signal.throwIfAborted();
    return { failureCode: codeOf(error) };
  });
  if ("vectors" in done) await checkpoints.save(stage, done);
  return done;
}

/** Whether there is one vector per text, all finite and of one length. */
function isSound(vectors: readonly (readonly number[])[], count: number, dimensions: number | null): boolean {
  const length = dimensions ?? vectors[0]?.length ?? 0;
  return (
    vectors.length === count &&
    length > 0 &&
    vectors.every((vector) => vector.length === length && vector.every(Number.isFinite))
  );
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "UNKNOWN";
}

function hashOf(parts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32);
}
