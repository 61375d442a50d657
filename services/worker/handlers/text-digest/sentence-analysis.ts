/** A candidate for a key phrase: neighbouring content words of one sentence. */
export interface CandidatePhrase {
  /** As it stands in the text, particles and articles removed. */
  readonly text: string;
  /** The base forms of its words; two phrases with the same ones are the same phrase. */
  readonly words: readonly string[];
}

/** What a sentence says, reduced to its content words. */
export interface AnalysedSentence {
  readonly text: string;
  /** Base forms of the content words in their order, stop words removed. */
  readonly terms: readonly string[];
  readonly phrases: readonly CandidatePhrase[];
  /** Whether the sentence may stand in a summary; headings may not. */
  readonly quotable: boolean;
}

/** Finds the content words and candidate phrases of one sentence. */
export type SentenceAnalyser = (sentence: string) => Pick<AnalysedSentence, "terms" | "phrases">;

/** Most words of a key phrase. */
export const MAX_PHRASE_WORDS = 4;
