import { handlerSettings } from "#worker/handlers/handler-settings.js";
import { AnthropicModel } from "#worker/language-model/anthropic-model.js";
import type { ProviderLimits } from "#worker/language-model/call-provider.js";
import type { Embedder } from "#worker/language-model/embedder.js";
import type { LanguageModelSettings } from "#worker/language-model/language-model-settings.js";
import type { LanguageModel } from "#worker/language-model/language-model.js";
import { OfflineEmbedder } from "#worker/language-model/offline-embedder.js";
import { OfflineModel } from "#worker/language-model/offline-model.js";
import { OpenAiEmbedder } from "#worker/language-model/openai-embedder.js";
import { OpenAiModel } from "#worker/language-model/openai-model.js";

/** The language model that the settings ask for. `limits` replaces single ones of the settings', for callers that wait less long. */
export function languageModel(
  settings: LanguageModelSettings = handlerSettings(),
  limits: Partial<ProviderLimits> = {},
): LanguageModel {
  const access = { baseUrl: settings.llmBaseUrl, apiKey: settings.llmApiKey };
  const all = { ...limitsOf(settings), ...limits };
  switch (settings.llmProvider) {
    case "openai":
      return new OpenAiModel(settings.llmModel, access, all, settings.llmMaxTokens);
    case "anthropic":
      return new AnthropicModel(settings.llmModel, access, all, settings.llmMaxTokens);
    case "offline":
      return new OfflineModel();
  }
}

/** The embedder that the settings ask for. `limits` replaces single ones of the settings'. */
export function embedder(
  settings: LanguageModelSettings = handlerSettings(),
  limits: Partial<ProviderLimits> = {},
): Embedder {
  if (settings.embeddingProvider === "offline") return new OfflineEmbedder();
  const { embeddingBaseUrl, embeddingApiKey, embeddingModel, llmProvider, llmBaseUrl, llmApiKey } = settings;
  const isShared = llmProvider === "openai" && embeddingBaseUrl === "";
  const access = {
    baseUrl: isShared ? llmBaseUrl : embeddingBaseUrl,
    apiKey: isShared && embeddingApiKey === "" ? llmApiKey : embeddingApiKey,
  };
  return new OpenAiEmbedder(embeddingModel, access, { ...limitsOf(settings), ...limits });
}

function limitsOf(settings: LanguageModelSettings): ProviderLimits {
  const { llmConnectTimeoutMs, llmCallTimeoutMs, llmRetries, llmRetryDelayMs, llmRetryMaxDelayMs } = settings;
  return {
    connectTimeoutMs: llmConnectTimeoutMs,
    callTimeoutMs: llmCallTimeoutMs,
    retries: llmRetries,
    retryDelayMs: llmRetryDelayMs,
    retryMaxDelayMs: llmRetryMaxDelayMs,
  };
}
