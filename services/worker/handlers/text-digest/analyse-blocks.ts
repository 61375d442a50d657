import { setImmediate as nextTurn } from "node:timers/promises";
import type { DetectedLanguage } from "#worker/handlers/text-digest/detect-language.js";
import type { ProseBlock } from "#worker/handlers/text-digest/document-prose.js";
import type { AnalysedSentence, SentenceAnalyser } from "#worker/handlers/text-digest/sentence-analysis.js";
import { sentencesOf } from "#worker/handlers/text-digest/split-text.js";

/** Only the first so many characters of prose are analysed. */
const ANALYSED_CHARACTERS = 40_000;
/** Sentences between two looks at the signal. */
const SENTENCES_PER_TURN = 25;

/** The sentences of a document with their content words. Rejects with the signal's reason, which is looked at every few sentences. */
export async function analyseBlocks(
  blocks: readonly ProseBlock[],
  language: DetectedLanguage,
  signal: AbortSignal,
): Promise<AnalysedSentence[]> {
  const analysed: AnalysedSentence[] = [];
  if (blocks.length === 0) return analysed;
  const analyse = await analyserFor(language);
  let left = ANALYSED_CHARACTERS;
  for (const block of blocks) {
    if (left <= 0) break;
    for (const text of sentencesOf(block.text.slice(0, left), language.code)) {
      analysed.push({ text, ...analyse(text), quotable: block.kind !== "heading" });
      if (analysed.length % SENTENCES_PER_TURN !== 0) continue;
      await nextTurn();
      signal.throwIfAborted();
    }
    left -= block.text.length;
  }
  return analysed;
}

/** Content words of a text, as documents of the language have them in `terms`. */
export async function termsOf(text: string, language: DetectedLanguage): Promise<readonly string[]> {
  const analyse = await analyserFor(language);
  return analyse(text).terms;
}

/** The running text of a document, for telling its language. */
export function sampleOf(blocks: readonly ProseBlock[]): string {
  const running = blocks.filter((block) => block.kind !== "heading");
  return (running.length > 0 ? running : blocks).map((block) => block.text).join("\n");
}

async function analyserFor(language: DetectedLanguage): Promise<SentenceAnalyser> {
  if (language.code === "en") return (await import("#worker/handlers/text-digest/english-analyser.js")).analyseEnglish;
  if (language.code === "ko")
    return (await import("#worker/handlers/text-digest/korean-analyser.js")).loadKoreanAnalyser();
  return (await import("#worker/handlers/text-digest/general-analyser.js")).generalAnalyser(language);
}
