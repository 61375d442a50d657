import { AnthropicModel } from "#worker/language-model/anthropic-model.js";
import type { ProviderLimits } from "#worker/language-model/call-provider.js";
import type { Embedder } from "#worker/language-model/embedder.js";
import { embedsAtModelsServer, type LanguageModelSettings } from "#worker/language-model/language-model-settings.js";
import type { LanguageModel } from "#worker/language-model/language-model.js";
import { OfflineEmbedder } from "#worker/language-model/offline-embedder.js";
import { OfflineModel } from "#worker/language-model/offline-model.js";
import { OpenAiEmbedder } from "#worker/language-model/openai-embedder.js";
import { OpenAiModel } from "#worker/language-model/openai-model.js";

/** The language model that the settings ask for. */
export function languageModel(settings: LanguageModelSettings): LanguageModel {
  const access = { baseUrl: settings.llmBaseUrl, apiKey: settings.llmApiKey };
  const limits = limitsOf(settings);
  switch (settings.llmProvider) {
    case "openai":
      return new OpenAiModel(settings.llmModel, access, limits, settings.llmMaxTokens);
    case "anthropic":
      return new AnthropicModel(settings.llmModel, access, limits, settings.llmMaxTokens);
    case "offline":
      return new OfflineModel();
  }
}

/** The embedder that the settings ask for. `limits` replaces single ones of the settings'. */
export function embedder(settings: LanguageModelSettings, limits: Partial<ProviderLimits> = {}): Embedder {
  if (settings.embeddingProvider === "offline") return new OfflineEmbedder();
  const { embeddingBaseUrl, embeddingApiKey, embeddingModel, llmBaseUrl, llmApiKey } = settings;
  const isShared = embedsAtModelsServer(settings);
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
