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

/** After so many failed batches in a row the rest is not tried: the provider is away. */
const GIVE_UP_AFTER = 2;

/**
 * Embeds texts batch by batch. A batch that is done is checkpointed and never asked for again by a later attempt; one that fails in the end
 * leaves its chunks without vectors. Rejects with the signal's reason only.
 */
export async function embedChunks(texts: readonly string[], options: EmbedOptions): Promise<ChunkEmbeddings> {
  const { embedder, settings, signal, onProgress } = options;
  const vectors: (readonly number[] | null)[] = [];
  let dimensions: number | null = null;
  let usage: TokenUsage = { inputTokens: 0, outputTokens: 0 };
  let failureCode: string | null = null;
  let failedInRow = 0;
  for (let start = 0; start < texts.length; start += settings.resumeEmbeddingBatch) {
    const batch = texts.slice(start, start + settings.resumeEmbeddingBatch);
    const known: number | null = dimensions;
    try {
      const done = await embedBatch(batch, known, failedInRow >= GIVE_UP_AFTER, options);
      if (done === undefined) vectors.push(...batch.map(() => null));
      else {
        dimensions = done.vectors[0]?.length ?? known;
        vectors.push(...done.vectors);
        usage = addUsage(usage, done.usage);
        failedInRow = 0;
      }
    } catch (error) {
      signal.throwIfAborted();
      failureCode = codeOf(error);
      failedInRow += 1;
      vectors.push(...batch.map(() => null));
    }
    onProgress(Math.min(start + batch.length, texts.length), texts.length);
  }
  const failed = vectors.filter((vector) => vector === null).length;
  const { provider, model } = embedder;
  return { provider, model, dimensions, vectors, failed, failureCode, usage };
}

/** Undefined: there is no checkpoint, and nothing new is to be asked for. */
async function embedBatch(
  texts: readonly string[],
  dimensions: number | null,
  onlyCheckpoint: boolean,
  { embedder, settings, checkpoints, signal }: EmbedOptions,
): Promise<z.infer<typeof batchSchema> | undefined> {
  const stage = `embeddings-${hashOf([embedder.provider, embedder.model, ...texts])}`;
  const kept = await checkpoints.load(stage, batchSchema);
  if (kept !== undefined && isSound(kept.vectors, texts.length, dimensions)) return kept;
  if (onlyCheckpoint) return undefined;
  const {
    resumeEmbeddingRetries: retries,
    resumeRetryDelayMs: delayMs,
    resumeEmbeddingTimeoutMs: timeoutMs,
  } = settings;
  const answer = await tryAgain(
    async () => {
      const { vectors, usage } = await withTimeout(
        (limit) => embedder.embed(texts, { signal: limit }),
        timeoutMs,
        signal,
      );
      if (!isSound(vectors, texts.length, dimensions)) {
        throw new RetryableError("LLM_PARSE_ERROR", "the embeddings do not fit the texts");
      }
      return { vectors: vectors.map((vector) => [...vector]), usage };
    },
    { retries, delayMs, signal },
  );
  await checkpoints.save(stage, answer);
  return answer;
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

async function withTimeout<T>(
  call: (signal: AbortSignal) => Promise<T>,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<T> {
  const limit = new AbortController();
  const timer = setTimeout(() => {
    limit.abort(new RetryableError("LLM_TIMEOUT", `no embeddings within ${timeoutMs} ms`));
  }, timeoutMs);
  try {
    return await call(AbortSignal.any([signal, limit.signal]));
  } catch (error) {
    limit.signal.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "UNKNOWN";
}

function hashOf(parts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32);
}
