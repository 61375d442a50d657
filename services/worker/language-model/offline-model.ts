import { wordsOf } from "#worker/handlers/text-digest/split-text.js";
import { extractSentences } from "#worker/language-model/extract-sentences.js";
import type { Completion, CompletionRequest, LanguageModel } from "#worker/language-model/language-model.js";

const MAX_SENTENCES = 8;
const MAX_KEY_PHRASES = 10;
const DEFAULT_MAX_WORDS = 250;

/**
 * Answers without a model and without a network: quotes those sentences of the material (without any: of the prompt) that fit the prompt
 * best, at most eight, one paragraph per text. With `json` the answer is `{"summary": string, "sentences": string[], "keyPhrases": string[]}`.
 * `maxTokens` counts words. The same request gives the same answer.
 */
export class OfflineModel implements LanguageModel {
  readonly provider = "offline";
  readonly model = "extractive";

  async complete(request: CompletionRequest, { signal }: { readonly signal: AbortSignal }): Promise<Completion> {
    const { system = "", prompt, material = [], maxTokens = DEFAULT_MAX_WORDS } = request;
    const texts = material.length > 0 ? material : [prompt];
    const limits = { maxSentences: MAX_SENTENCES, maxWords: maxTokens, maxKeyPhrases: MAX_KEY_PHRASES };
    const { passages, keyPhrases } = await extractSentences(prompt, texts, limits, signal);
    const summary = passages.map((sentences) => sentences.join(" ")).join("\n\n");
    const text = request.json === true ? JSON.stringify({ summary, sentences: passages.flat(), keyPhrases }) : summary;
    return {
      text,
      usage: { inputTokens: countWords([system, prompt, ...material]), outputTokens: countWords([summary]) },
    };
  }
}

function countWords(texts: readonly string[]): number {
  return texts.reduce((count, text) => count + wordsOf(text, "und").length, 0);
}
