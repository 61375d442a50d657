import type { TokenUsage } from "#worker/language-model/language-model.js";

/** Vectors of texts, and what they took. */
export interface Embeddings {
  /** One per text, in their order, all of one length. */
  readonly vectors: readonly (readonly number[])[];
  readonly usage: TokenUsage;
}

/** Turns texts into vectors: the closer two texts are in meaning, the greater the cosine of theirs. */
export interface Embedder {
  /** `offline` or `openai` (any server that speaks its embeddings). */
  readonly provider: string;
  /** The model's name as its provider knows it. */
  readonly model: string;
  /** Embeds all texts in one call. Fails as `LanguageModel.complete` does. */
  embed(texts: readonly string[], options: { readonly signal: AbortSignal }): Promise<Embeddings>;
}
