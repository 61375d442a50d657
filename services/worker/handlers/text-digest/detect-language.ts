import { francAll } from "franc-min";
import { wordsOf } from "#worker/handlers/text-digest/split-text.js";
import { stopWordsOf } from "#worker/handlers/text-digest/stop-words.js";

/** The language of a text. */
export interface DetectedLanguage {
  /** BCP 47 code, two letters where there are (`en`, `ko`), else three; `und` when the text is too short or of no known language. */
  readonly code: string;
  /** ISO 639-3 code, `und` likewise. */
  readonly iso6393: string;
  /** How clear the choice is, [0, 1]: for a script of one language its share of the letters, else how far the runner-up is behind, less for short texts. */
  readonly confidence: number;
}

/** Characters that are looked at; more do not change the answer. */
const SAMPLE_CHARACTERS = 4096;
/** Fewer letters than these, in a script of many languages, are not judged. */
const MINIMUM_LETTERS = 10;
/** From this share of Hangul on, a text is Korean: no other language uses it, and Korean technical prose is full of Latin names. */
const HANGUL_SHARE = 0.2;
/** The lead over the runner-up, franc's score and the share of stop words added, from which a choice counts as certain. */
const CERTAIN_LEAD = 0.25;

/** Letters that a text needs for a certain choice; fewer lower the confidence in proportion. */
const CERTAIN_LETTERS = 80;
/** How many of franc's best guesses are looked at again. */
const GUESSES = 8;

/**
 * Tells the language of a text: Korean by its script; everything else by franc's trigrams (82 languages with 8 million speakers or more)
 * plus, because trigrams mistake short technical texts, the share of words that are stop words of the guessed language.
 */
export function detectLanguage(text: string): DetectedLanguage {
  const sample = text.slice(0, SAMPLE_CHARACTERS);
  const letters = sample.match(/\p{L}/gu)?.length ?? 0;
  if (letters === 0) return UNDETERMINED;
  const hangul = (sample.match(/\p{Script=Hangul}/gu)?.length ?? 0) / letters;
  if (hangul >= HANGUL_SHARE) return { code: "ko", iso6393: "kor", confidence: round(Math.min(1, 0.5 + hangul / 2)) };
  const words = wordsOf(sample.toLowerCase(), "und");
  const [best, second] = francAll(sample, { minLength: MINIMUM_LETTERS })
    .slice(0, GUESSES)
    .map(([code, score]): [string, number] => [code, score + stopWordShare(words, code)])
    .sort((a, b) => b[1] - a[1]);
  if (best === undefined || best[0] === "und") return UNDETERMINED;
  const lead = best[1] - (second?.[1] ?? 0);
  return {
    ...languageCodes(best[0]),
    confidence: round(Math.min(1, lead / CERTAIN_LEAD) * Math.min(1, letters / CERTAIN_LETTERS)),
  };
}

/** A language given by its caller, as BCP 47 (`en`, `ko-KR`) or ISO 639-3 (`kor`) code; certain by definition. */
export function givenLanguage(code: string): DetectedLanguage {
  return { ...languageCodes(code), confidence: 1 };
}

const UNDETERMINED: DetectedLanguage = { code: "und", iso6393: "und", confidence: 0 };

/** ISO 639-3 codes that differ from what lengthening the two-letter code gives, as franc and stopword name these languages. */
const LONG_CODES: Readonly<Record<string, string>> = { zh: "cmn" };

function languageCodes(code: string): { code: string; iso6393: string } {
  const short = new Intl.Locale(code).language;
  const long = code.length === 3 ? code : (LONG_CODES[short] ?? THREE_LETTERS[short] ?? short);
  return { code: short, iso6393: long };
}

/** Two-letter codes of the languages with a list of stop words, and their ISO 639-3 codes. */
const THREE_LETTERS: Readonly<Record<string, string>> = {
  ar: "ara",
  bg: "bul",
  bn: "ben",
  ca: "cat",
  cs: "ces",
  da: "dan",
  de: "deu",
  el: "ell",
  en: "eng",
  es: "spa",
  et: "est",
  fa: "fas",
  fi: "fin",
  fr: "fra",
  he: "heb",
  hi: "hin",
  hr: "hrv",
  hu: "hun",
  id: "ind",
  it: "ita",
  ja: "jpn",
  ko: "kor",
  lt: "lit",
  lv: "lav",
  nb: "nob",
  nl: "nld",
  pl: "pol",
  pt: "por",
  ro: "ron",
  ru: "rus",
  sk: "slk",
  sl: "slv",
  sv: "swe",
  th: "tha",
  tl: "tgl",
  tr: "tur",
  uk: "ukr",
  ur: "urd",
  vi: "vie",
};

function stopWordShare(words: readonly string[], iso6393: string): number {
  const stopWords = stopWordsOf(iso6393);
  if (stopWords.size === 0 || words.length === 0) return 0;
  return words.filter((word) => stopWords.has(word)).length / words.length;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
