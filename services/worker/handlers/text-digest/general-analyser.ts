import {
  MAX_PHRASE_WORDS,
  type CandidatePhrase,
  type SentenceAnalyser,
} from "#worker/handlers/text-digest/sentence-analysis.js";
import { stopWordsOf } from "#worker/handlers/text-digest/stop-words.js";

/** Languages written without spaces between words. */
const UNSPACED = new Set(["zh", "ja", "th", "lo", "km", "my"]);

/**
 * Content words and candidate phrases of any language, without grammar: a phrase is a run of words between stop words and punctuation,
 * as in RAKE (S. Rose et al., “Automatic keyword extraction from individual documents”, 2010). Stop words by the `stopword` package;
 * a language it does not know has none, and its phrases are then only as good as its punctuation.
 */
export function generalAnalyser(language: { readonly code: string; readonly iso6393: string }): SentenceAnalyser {
  const stopWords = stopWordsOf(language.iso6393);
  const separator = UNSPACED.has(language.code) ? "" : " ";
  const segmenter = new Intl.Segmenter(language.code, { granularity: "word" });
  return (sentence) => {
    const terms: string[] = [];
    const phrases: CandidatePhrase[] = [];
    let run: string[] = [];
    const closeRun = () => {
      const words = run.map((word) => word.toLowerCase());
      if (words.length > 0 && words.length <= MAX_PHRASE_WORDS) phrases.push({ text: run.join(separator), words });
      run = [];
    };
    for (const { segment, isWordLike } of segmenter.segment(sentence)) {
      const word = segment.toLowerCase();
      if (isWordLike === true && /\p{L}/u.test(word) && !stopWords.has(word) && (word.length > 1 || separator === "")) {
        terms.push(word);
        run.push(segment);
      } else if (segment.trim() !== "") closeRun();
    }
    closeRun();
    return { terms, phrases };
  };
}
