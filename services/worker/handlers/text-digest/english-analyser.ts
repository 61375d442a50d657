import nlp from "compromise/two";
import {
  MAX_PHRASE_WORDS,
  type CandidatePhrase,
  type SentenceAnalyser,
} from "#worker/handlers/text-digest/sentence-analysis.js";
import { stopWordsOf } from "#worker/handlers/text-digest/stop-words.js";

interface TaggedWord {
  readonly text: string;
  readonly base: string;
  readonly noun: boolean;
  readonly adjective: boolean;
  /** A comma, bracket or the like stands behind it. */
  readonly closes: boolean;
}

const STOP_WORDS = stopWordsOf("eng");

/** Content words and noun phrases (adjectives and nouns that end in a noun) of English, tagged by `compromise`. */
export const analyseEnglish: SentenceAnalyser = (sentence) => {
  const terms: string[] = [];
  const phrases: CandidatePhrase[] = [];
  let run: TaggedWord[] = [];
  const closeRun = () => {
    while (run.length > 0 && run.at(-1)?.noun !== true) run.pop();
    if (run.length > 0 && run.length <= MAX_PHRASE_WORDS) {
      phrases.push({ text: run.map((word) => word.text).join(" "), words: run.map((word) => word.base) });
    }
    run = [];
  };
  for (const word of taggedWords(sentence)) {
    const content = isContent(word.base);
    if (content) terms.push(word.base);
    if (content && (word.noun || word.adjective)) run.push(word);
    else closeRun();
    if (word.closes) closeRun();
  }
  closeRun();
  return { terms, phrases };
};

function isContent(base: string): boolean {
  return base.length > 1 && /\p{L}/u.test(base) && !STOP_WORDS.has(base);
}

function taggedWords(sentence: string): TaggedWord[] {
  const words: TaggedWord[] = [];
  for (const part of nlp(sentence).compute("root").docs) {
    for (const term of part) {
      const tags = term.tags ?? new Set<string>();
      const root = "root" in term && typeof term.root === "string" ? term.root : term.normal;
      const acronym = /^[^a-z]+s?$/.test(term.text);
      const noun = tags.has("Noun") && !tags.has("Pronoun") && !tags.has("Honorific");
      const text = term.text.replace(/['’]s$/, "").replace(/[^\p{L}\p{N}+#]+$/u, "");
      words.push({
        text: acronym || tags.has("ProperNoun") ? text : text.toLowerCase(),
        base: (acronym ? text : root).toLowerCase().replace(/['’]s$/, ""),
        noun,
        adjective: tags.has("Adjective"),
        closes: /[^\s-]/.test(term.post) || /\.$/.test(term.text) || tags.has("Possessive"),
      });
    }
  }
  return words;
}
