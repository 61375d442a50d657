import { stemmer } from "stemmer";
import { termsOf } from "#worker/handlers/text-digest/analyse-blocks.js";
import { detectLanguage } from "#worker/handlers/text-digest/detect-language.js";
import { wordsOf } from "#worker/handlers/text-digest/split-text.js";
import { stopWordsOf } from "#worker/handlers/text-digest/stop-words.js";

const HANGUL = /\p{Script=Hangul}/u;
const LATIN = /^[a-z]+$/;
/** Words of questions that the list of stop words lacks. */
const QUESTION_WORDS = new Set("did does doing done its there when where whether whom whose why".split(" "));

/**
 * The words of a text as they are searched by: lower-cased (NFKC), Latin ones by their Porter stem, so that `retries` meets `retry`.
 * Korean words stay whole; {@link queryTerms} and a search by beginnings see to their particles.
 */
export function searchTerms(text: string): string[] {
  return wordsOf(text.normalize("NFKC").toLowerCase(), "und").map(stem);
}

/**
 * The words to search for: of Korean those of the morphological analyser, so that `중력은` looks for `중력`; of everything else all but
 * English stop words and question words. A text of nothing but stop words is searched for as it is.
 */
export async function queryTerms(text: string): Promise<string[]> {
  const plain = text.normalize("NFKC").toLowerCase();
  const words = wordsOf(plain, "und");
  const stopWords = stopWordsOf("eng");
  const others = words
    .filter((word) => !HANGUL.test(word) && !stopWords.has(word) && !QUESTION_WORDS.has(word))
    .map(stem);
  const korean = HANGUL.test(plain) ? await termsOf(plain, detectLanguage(plain)) : [];
  const terms = new Set([...others, ...korean.filter((term) => HANGUL.test(term))]);
  return terms.size > 0 ? [...terms] : [...new Set(words.map(stem))];
}

/** Whether a word is searched for by its beginning: Korean ones, whose particles stand behind them. */
export function isSearchedByBeginning(term: string): boolean {
  return HANGUL.test(term);
}

function stem(word: string): string {
  return LATIN.test(word) ? stemmer(word) : word;
}
