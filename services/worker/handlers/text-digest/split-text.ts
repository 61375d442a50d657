/** Words that a full stop follows without ending the sentence, after the English suppression lists of Unicode CLDR. */
const ENGLISH_ABBREVIATION =
  /(?:^|[\s(“"'])(?:Mr|Mrs|Ms|Dr|Prof|St|Sr|Jr|Gen|Col|Capt|Lt|Rev|Hon|Inc|Ltd|Co|Corp|Fig|Figs|No|Nos|Vol|pp|p|ed|eds|cf|vs|approx|e\.g|i\.e|al|Jan|Feb|Mar|Apr|Aug|Sept|Sep|Oct|Nov|Dec|[A-Z])\.\s*$/;

const segmenters = new Map<string, Intl.Segmenter>();

/** The sentences of a block of prose, trimmed, by Unicode's rules (UAX 29) and, for English, without breaks after abbreviations. */
export function sentencesOf(text: string, language: string): string[] {
  const sentences: string[] = [];
  let open = "";
  for (const { segment } of segmenter(language, "sentence").segment(text)) {
    open += segment;
    if (language === "en" && ENGLISH_ABBREVIATION.test(open)) continue;
    addSentence(sentences, open);
    open = "";
  }
  addSentence(sentences, open);
  return sentences;
}

/** The words of a text by Unicode's rules: `Node.js` is one, `at-least-once` three, a Korean word one with its particles. */
export function wordsOf(text: string, language: string): string[] {
  const words: string[] = [];
  for (const { segment, isWordLike } of segmenter(language, "word").segment(text)) if (isWordLike === true) words.push(segment);
  return words;
}

function addSentence(sentences: string[], text: string): void {
  const trimmed = text.trim();
  if (/[\p{L}\p{N}]/u.test(trimmed)) sentences.push(trimmed);
}

function segmenter(language: string, granularity: "sentence" | "word"): Intl.Segmenter {
  const key = `${language} ${granularity}`;
  let found = segmenters.get(key);
  if (found === undefined) {
    found = new Intl.Segmenter(language, { granularity });
    segmenters.set(key, found);
  }
  return found;
}
