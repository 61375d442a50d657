import { embedsAtModelsServer, type LanguageModelSettings } from "#worker/language-model/language-model-settings.js";

/**
 * What is wrong with the settings together, for the worker's start: a provider needs a model's name, and a key unless a base URL says that it
 * is a server of one's own.
 */
export function languageModelProblems(settings: LanguageModelSettings): readonly string[] {
  const problems: string[] = [];
  const { llmProvider, embeddingProvider } = settings;
  if (llmProvider !== "offline") {
    const why = `TASKWIRE_LLM_PROVIDER=${llmProvider}`;
    if (settings.llmModel === "") problems.push(`TASKWIRE_LLM_MODEL is missing (${why})`);
    if (settings.llmApiKey === "" && settings.llmBaseUrl === "")
      problems.push(`TASKWIRE_LLM_API_KEY is missing (${why})`);
  }
  if (embeddingProvider !== "offline") {
    const why = `TASKWIRE_EMBEDDING_PROVIDER=${embeddingProvider}`;
    const { embeddingBaseUrl, embeddingApiKey } = settings;
    if (settings.embeddingModel === "") problems.push(`TASKWIRE_EMBEDDING_MODEL is missing (${why})`);
    if (embeddingApiKey === "" && embeddingBaseUrl === "" && !embedsAtModelsServer(settings))
      problems.push(`TASKWIRE_EMBEDDING_API_KEY is missing (${why})`);
  }
  return problems;
}
