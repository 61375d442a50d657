import { analyseBlocks, sampleOf, termsOf } from "#worker/handlers/text-digest/analyse-blocks.js";
import { detectLanguage } from "#worker/handlers/text-digest/detect-language.js";
import { documentProse } from "#worker/handlers/text-digest/document-prose.js";
import { keyPhrases } from "#worker/handlers/text-digest/key-phrases.js";
import type { AnalysedSentence } from "#worker/handlers/text-digest/sentence-analysis.js";
import { wordsOf } from "#worker/handlers/text-digest/split-text.js";
import { rankSentences } from "#worker/handlers/text-digest/summarise.js";

/** What was taken from texts. */
export interface Extract {
  /** Quoted sentences per text, in the order of the texts and of the sentences in them; texts without any are left out. */
  readonly passages: readonly (readonly string[])[];
  /** Best first. */
  readonly keyPhrases: readonly string[];
}

/** How much is taken. */
export interface ExtractLimits {
  readonly maxSentences: number;
  /** Words of all sentences; one sentence is taken even if it has more. */
  readonly maxWords: number;
  readonly maxKeyPhrases: number;
}

interface Candidate {
  readonly text: string;
  readonly terms: ReadonlySet<string>;
  readonly words: number;
  readonly document: number;
  readonly index: number;
  readonly score: number;
}

/** From this share of common content words on, two sentences say the same. */
const SAME_SHARE = 0.7;

/**
 * Takes from texts (Markdown or plain) the sentences that answer a question best: those that are central to their text (TextRank) and share
 * words with the question, rare ones above all (inverse document frequency over the sentences). Repetitions are left out. The same input gives
 * the same extract. Rejects with the signal's reason.
 */
export async function extractSentences(
  question: string,
  texts: readonly string[],
  limits: ExtractLimits,
  signal: AbortSignal,
): Promise<Extract> {
  const all: AnalysedSentence[] = [];
  const candidates: Candidate[] = [];
  for (const [document, text] of texts.entries()) {
    signal.throwIfAborted();
    const blocks = documentProse(text, "markdown");
    const language = detectLanguage(sampleOf(blocks));
    const analysed = await analyseBlocks(blocks, language, signal);
    all.push(...analysed);
    const wanted = new Set(await termsOf(question, language));
    const weigh = termWeights(analysed);
    for (const { sentence, index, score } of rankSentences(analysed)) {
      const terms = new Set(sentence.terms);
      let match = 0;
      for (const term of terms) if (wanted.has(term)) match += weigh(term);
      const words = wordsOf(sentence.text, language.code).length;
      candidates.push({ text: sentence.text, terms, words, document, index, score: score * (1 + match) });
    }
  }
  return {
    passages: passagesOf(choose(candidates, limits)),
    keyPhrases: keyPhrases(all, limits.maxKeyPhrases).map(({ phrase }) => phrase),
  };
}

/** How rare a term is among sentences: the logarithm of 1 + all sentences over those that have it. */
function termWeights(sentences: readonly AnalysedSentence[]): (term: string) => number {
  const holders = new Map<string, number>();
  for (const { terms } of sentences) for (const term of new Set(terms)) holders.set(term, (holders.get(term) ?? 0) + 1);
  return (term) => Math.log(1 + sentences.length / (holders.get(term) ?? 1));
}

function choose(candidates: readonly Candidate[], { maxSentences, maxWords }: ExtractLimits): Candidate[] {
  const chosen: Candidate[] = [];
  let left = maxWords;
  const best = [...candidates].sort((a, b) => b.score - a.score || a.document - b.document || a.index - b.index);
  for (const candidate of best) {
    if (chosen.length >= maxSentences) break;
    if (chosen.length > 0 && candidate.words > left) continue;
    if (chosen.some((other) => saysTheSame(candidate, other))) continue;
    chosen.push(candidate);
    left -= candidate.words;
  }
  return chosen.sort((a, b) => a.document - b.document || a.index - b.index);
}

function saysTheSame(a: Candidate, b: Candidate): boolean {
  let shared = 0;
  for (const term of a.terms) if (b.terms.has(term)) shared += 1;
  const both = a.terms.size + b.terms.size - shared;
  return a.text === b.text || (both > 0 && shared / both >= SAME_SHARE);
}

function passagesOf(sentences: readonly Candidate[]): string[][] {
  const passages = new Map<number, string[]>();
  for (const { document, text } of sentences) passages.set(document, [...(passages.get(document) ?? []), text]);
  return [...passages.values()];
}
