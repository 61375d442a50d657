/** Words that a full stop follows without ending the sentence, after the English suppression lists of Unicode CLDR. */
const ENGLISH_ABBREVIATION =
  /(?:^|[\s(“"'])(?:Mr|Mrs|Ms|Dr|Prof|St|Sr|Jr|Gen|Col|Capt|Lt|Rev|Hon|Inc|Ltd|Co|Corp|Fig|Figs|No|Nos|Vol|pp|p|ed|eds|cf|vs|approx|e\.g|i\.e|al|Jan|Feb|Mar|Apr|Aug|Sept|Sep|Oct|Nov|Dec|[A-Z])\.\s*$/;

/** Intl.Segmenter takes time in proportion to the square of its text's length (Node.js 20: 12 s for 200 KB), hence pieces of this size. */
const PIECE_CHARACTERS = 2000;
const LONGEST_ABBREVIATION = 12;
const SENTENCE_END = /[.!?。！？]\s*$/;

const segmenters = new Map<string, Intl.Segmenter>();

/** The sentences of a block of prose, trimmed, by Unicode's rules (UAX 29) and, for English, without breaks after abbreviations. */
export function sentencesOf(text: string, language: string): string[] {
  const sentences: string[] = [];
  let open = "";
  const splitter = segmenter(language, "sentence");
  for (const piece of piecesOf(text)) {
    const cutWithin = !SENTENCE_END.test(piece);
    for (const { segment, index } of splitter.segment(piece)) {
      open += segment;
      if (cutWithin && index + segment.length === piece.length) continue;
      if (language === "en" && ENGLISH_ABBREVIATION.test(open.slice(-LONGEST_ABBREVIATION))) continue;
      addSentence(sentences, open);
      open = "";
    }
  }
  addSentence(sentences, open);
  return sentences;
}

/** The words of a text by Unicode's rules: `Node.js` is one, `at-least-once` three, a Korean word one with its particles. */
export function wordsOf(text: string, language: string): string[] {
  const words: string[] = [];
  const splitter = segmenter(language, "word");
  for (const piece of piecesOf(text)) {
    for (const { segment, isWordLike } of splitter.segment(piece)) if (isWordLike === true) words.push(segment);
  }
  return words;
}

/** A text in pieces, cut behind the end of a sentence where one is in reach, else at a space, else anywhere but within a character. */
function* piecesOf(text: string): Generator<string> {
  let start = 0;
  while (text.length - start > PIECE_CHARACTERS) {
    const window = text.slice(start, start + PIECE_CHARACTERS);
    const sentenceEnd = Math.max(...[". ", "! ", "? ", "。", "！", "？"].map((end) => window.lastIndexOf(end) + 1));
    let length = sentenceEnd > 0 ? sentenceEnd : window.lastIndexOf(" ") + 1 || PIECE_CHARACTERS;
    if (/[\uD800-\uDBFF]/.test(text.charAt(start + length - 1))) length -= 1;
    if (text.charAt(start + length) === " ") length += 1;
    yield text.slice(start, start + length);
    start += length;
  }
  yield text.slice(start);
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
