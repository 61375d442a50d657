import { handlerSettings } from "#worker/handlers/handler-settings.js";
import type { Embedder } from "#worker/language-model/embedder.js";
import type { LanguageModelSettings } from "#worker/language-model/language-model-settings.js";
import type { LanguageModel } from "#worker/language-model/language-model.js";
import { OfflineEmbedder } from "#worker/language-model/offline-embedder.js";
import { OfflineModel } from "#worker/language-model/offline-model.js";

/** The language model that the settings ask for. */
export function languageModel(settings: LanguageModelSettings = handlerSettings()): LanguageModel {
  void settings;
  return new OfflineModel();
}

/** The embedder that the settings ask for. */
export function embedder(settings: LanguageModelSettings = handlerSettings()): Embedder {
  void settings;
  return new OfflineEmbedder();
}
