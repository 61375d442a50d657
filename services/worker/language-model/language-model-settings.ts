import { oneOf, text, wholeNumber } from "#libs/config/setting-kinds.js";
import type { Schema, Settings } from "#libs/config/settings.js";
import { MAX_TIMEOUT_MS, MIN_TIMEOUT_MS } from "#libs/tasks/limits.js";

/** Who answers. */
export type LanguageModelProvider = "offline" | "openai" | "anthropic";
/** Who embeds. */
export type EmbeddingProvider = "offline" | "openai";

const PROVIDERS: readonly LanguageModelProvider[] = ["offline", "openai", "anthropic"];
const EMBEDDING_PROVIDERS: readonly EmbeddingProvider[] = ["offline", "openai"];
const BASE_URL = /^(https?:\/\/[^\s]+)?$/;

/** Settings of language models and embeddings. */
export const languageModelSettings = {
  llmProvider: oneOf<LanguageModelProvider>({
    env: "TASKWIRE_LLM_PROVIDER",
    doc: "Who answers language-model calls: `offline` quotes the material and needs no key; `openai`: any server that speaks its chat completions; `anthropic`.",
    default: "offline",
    values: PROVIDERS,
  }),
  llmModel: text({
    env: "TASKWIRE_LLM_MODEL",
    doc: "The model's name; needed unless the provider is `offline`.",
    default: "",
    allowed: "a name",
  }),
  llmBaseUrl: text({
    env: "TASKWIRE_LLM_BASE_URL",
    doc: "Where the provider is, with `/v1` for `openai` and without it for `anthropic`; default: the provider's public address.",
    default: "",
    allowed: "a URL of http or https",
    pattern: BASE_URL,
  }),
  llmApiKey: text({
    env: "TASKWIRE_LLM_API_KEY",
    doc: "The provider's key; may be left out where `TASKWIRE_LLM_BASE_URL` asks for none.",
    default: "",
    allowed: "a key",
    secret: true,
  }),
  llmMaxTokens: wholeNumber({
    env: "TASKWIRE_LLM_MAX_TOKENS",
    doc: "Longest answer, unless a handler asks for less or more.",
    default: 4096,
    min: 1,
    max: 1_000_000,
    unit: "tokens",
  }),
  llmConnectTimeoutMs: wholeNumber({
    env: "TASKWIRE_LLM_CONNECT_TIMEOUT_MS",
    doc: "Time in which the connection to a provider must be there.",
    default: 10_000,
    min: MIN_TIMEOUT_MS,
    max: 600_000,
    unit: "ms",
  }),
  llmCallTimeoutMs: wholeNumber({
    env: "TASKWIRE_LLM_CALL_TIMEOUT_MS",
    doc: "Time in which one try of a call must be answered in full.",
    default: 120_000,
    min: MIN_TIMEOUT_MS,
    max: MAX_TIMEOUT_MS,
    unit: "ms",
  }),
  llmRetries: wholeNumber({
    env: "TASKWIRE_LLM_RETRIES",
    doc: "Further tries within a call after a failure that may pass.",
    default: 2,
    min: 0,
    max: 10,
  }),
  llmRetryDelayMs: wholeNumber({
    env: "TASKWIRE_LLM_RETRY_DELAY_MS",
    doc: "Longest wait before the first further try; doubles from try to try, up to `TASKWIRE_LLM_RETRY_MAX_DELAY_MS`, with full jitter.",
    default: 500,
    min: 0,
    max: 60_000,
    unit: "ms",
  }),
  llmRetryMaxDelayMs: wholeNumber({
    env: "TASKWIRE_LLM_RETRY_MAX_DELAY_MS",
    doc: "Longest wait within a call. A provider that asks for a longer one (`retry-after`) ends the attempt, and the next one waits for that time.",
    default: 8000,
    min: 0,
    max: 600_000,
    unit: "ms",
  }),
  embeddingProvider: oneOf<EmbeddingProvider>({
    env: "TASKWIRE_EMBEDDING_PROVIDER",
    doc: "Who embeds texts: `offline` hashes words and needs no key; `openai`: any server that speaks its embeddings.",
    default: "offline",
    values: EMBEDDING_PROVIDERS,
  }),
  embeddingModel: text({
    env: "TASKWIRE_EMBEDDING_MODEL",
    doc: "The embedding model's name; needed unless the provider is `offline`.",
    default: "",
    allowed: "a name",
  }),
  embeddingBaseUrl: text({
    env: "TASKWIRE_EMBEDDING_BASE_URL",
    doc: "Where the embedding provider is; default: `TASKWIRE_LLM_BASE_URL` if `TASKWIRE_LLM_PROVIDER` is `openai`, else its public address.",
    default: "",
    allowed: "a URL of http or https",
    pattern: BASE_URL,
  }),
  embeddingApiKey: text({
    env: "TASKWIRE_EMBEDDING_API_KEY",
    doc: "Its key; default: `TASKWIRE_LLM_API_KEY` if `TASKWIRE_LLM_PROVIDER` is `openai` and `TASKWIRE_EMBEDDING_BASE_URL` is not set.",
    default: "",
    allowed: "a key",
    secret: true,
  }),
} satisfies Schema;

/** The values of {@link languageModelSettings}. */
export type LanguageModelSettings = Settings<typeof languageModelSettings>;

/** Whether embeddings come from the server that the OpenAI-compatible language model is at. */
export function embedsAtModelsServer({ llmProvider, embeddingBaseUrl }: LanguageModelSettings): boolean {
  return llmProvider === "openai" && embeddingBaseUrl === "";
}
