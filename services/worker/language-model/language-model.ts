/** Tokens as the provider counts them; of the offline provider, words (UAX 29). 0 where a provider does not tell. */
export interface TokenUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** What a model is asked. */
export interface CompletionRequest {
  /** How it should behave. */
  readonly system?: string;
  /** What it should do. */
  readonly prompt: string;
  /** Texts that the answer must rest on. The offline provider takes its answer from them, or from the prompt when there are none. */
  readonly material?: readonly string[];
  /** Longest answer in tokens, [1, …]; default: the setting `TASKWIRE_LLM_MAX_TOKENS`. */
  readonly maxTokens?: number;
  /** Asks for one JSON object. An answer that is none is an `LLM_PARSE_ERROR`. */
  readonly json?: boolean;
  /** BCP 47 code of the language to answer in. The offline provider quotes and does not translate. */
  readonly language?: string;
}

/** What a model answered. */
export interface Completion {
  /** Trimmed. Empty only of the offline provider, when there is nothing to quote. */
  readonly text: string;
  /** Of the whole call, failed tries excluded. */
  readonly usage: TokenUsage;
}

/** A language model. */
export interface LanguageModel {
  /** `offline`, `openai` (any server that speaks its chat completions) or `anthropic`. */
  readonly provider: string;
  /** The model's name as its provider knows it. */
  readonly model: string;
  /**
   * Answers one request; a remote one tries again by itself as the settings say. Rejects with the reason of `signal` when that fires, else
   * with RetryableError `LLM_TIMEOUT`, `LLM_RATE_LIMIT` (with `retryAfterMs` where the provider says so), `LLM_PARSE_ERROR` or
   * `LLM_UNAVAILABLE`, or PermanentError `LLM_REJECTED`.
   */
  complete(request: CompletionRequest, options: { readonly signal: AbortSignal }): Promise<Completion>;
}

/** The sum of two usages. */
export function addUsage(a: TokenUsage, b: TokenUsage): TokenUsage {
  return { inputTokens: a.inputTokens + b.inputTokens, outputTokens: a.outputTokens + b.outputTokens };
}
