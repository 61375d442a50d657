import { setImmediate as nextTurn } from "node:timers/promises";
import { detectLanguage, givenLanguage, type DetectedLanguage } from "#worker/handlers/text-digest/detect-language.js";
import { documentProse, type ProseBlock } from "#worker/handlers/text-digest/document-prose.js";
import { keyPhrases, type KeyPhrase } from "#worker/handlers/text-digest/key-phrases.js";
import type { LoadedDocument } from "#worker/handlers/text-digest/read-document.js";
import type { AnalysedSentence, SentenceAnalyser } from "#worker/handlers/text-digest/sentence-analysis.js";
import { sentencesOf, wordsOf } from "#worker/handlers/text-digest/split-text.js";
import { summarise } from "#worker/handlers/text-digest/summarise.js";

/** What a document is and says. */
export interface DocumentDigest {
  readonly title: string;
  readonly language: DetectedLanguage;
  /** Of the prose, spaces included; characters as readers count them (code points). */
  readonly characters: number;
  readonly words: number;
  readonly sentences: number;
  readonly keyPhrases: readonly KeyPhrase[];
  readonly summary: readonly string[];
  readonly readingTimeSeconds: number;
  /** Base forms of all content words, for relevance. */
  readonly terms: readonly string[];
}

/** What a digest is asked for. */
export interface DigestOptions {
  /** Sentences of the summary. */
  readonly sentences: number;
  /** Number of key phrases. */
  readonly phrases: number;
  /** BCP 47 or ISO 639-3 code; detected when unset. */
  readonly language?: string | undefined;
  readonly signal: AbortSignal;
  /** Told what begins now. */
  readonly onStage?: (stage: DigestStage) => void;
}

/** The stages of a digest, in order. */
export type DigestStage = "language" | "words" | "phrases" | "summary";

/** Key phrases and summary come from the first so many characters of prose; counts are of everything. */
export const ANALYSED_CHARACTERS = 40_000;
/** Mean silent reading rate of English non-fiction (M. Brysbaert, “How many words do we read per minute?”, Journal of Memory and Language 109, 2019). */
const WORDS_PER_MINUTE = 238;
/** Sentences between two looks at the signal. */
const SENTENCES_PER_TURN = 25;
const SURROGATE_PAIR = /[\uD800-\uDBFF][\uDC00-\uDFFF]/g;
const MAX_TITLE_CHARACTERS = 120;
const TITLE_SEARCH_CHARACTERS = 1000;
/** Characters counted between two looks at the signal, where blocks are short enough. */
const COUNTED_PER_TURN = 65_536;

/** Digests a document. Rejects with the signal's reason when it fires, which is looked at between stages and every few sentences. */
export async function digestDocument(document: LoadedDocument, options: DigestOptions): Promise<DocumentDigest> {
  const { signal } = options;
  const begin = async (stage: DigestStage) => {
    options.onStage?.(stage);
    await nextTurn();
    signal.throwIfAborted();
  };
  const blocks = documentProse(document.text, document.format);
  await begin("language");
  const language = options.language === undefined ? detectLanguage(sampleOf(blocks)) : givenLanguage(options.language);
  await begin("words");
  const counts = await countText(blocks, language.code, signal);
  await begin("phrases");
  const analysed = await analyseBlocks(blocks, language, signal);
  const phrases = keyPhrases(analysed, options.phrases);
  await begin("summary");
  return {
    title: titleOf(document, blocks, language.code),
    language,
    ...counts,
    keyPhrases: phrases,
    summary: summarise(analysed, options.sentences),
    readingTimeSeconds: Math.round((counts.words / WORDS_PER_MINUTE) * 60),
    terms: analysed.flatMap((sentence) => sentence.terms),
  };
}

/** Content words of a text, as documents of the language have them in `terms`. */
export async function termsOf(text: string, language: DetectedLanguage): Promise<readonly string[]> {
  const analyse = await analyserFor(language);
  return analyse(text).terms;
}

async function analyserFor(language: DetectedLanguage): Promise<SentenceAnalyser> {
  if (language.code === "en") return (await import("#worker/handlers/text-digest/english-analyser.js")).analyseEnglish;
  if (language.code === "ko")
    return (await import("#worker/handlers/text-digest/korean-analyser.js")).loadKoreanAnalyser();
  return (await import("#worker/handlers/text-digest/general-analyser.js")).generalAnalyser(language);
}

function sampleOf(blocks: readonly ProseBlock[]): string {
  const running = blocks.filter((block) => block.kind !== "heading");
  return (running.length > 0 ? running : blocks).map((block) => block.text).join("\n");
}

type Counts = Pick<DocumentDigest, "characters" | "words" | "sentences">;

async function countText(blocks: readonly ProseBlock[], language: string, signal: AbortSignal): Promise<Counts> {
  let characters = 0;
  let words = 0;
  let sentences = 0;
  let sinceTurn = 0;
  for (const block of blocks) {
    characters += block.text.length - (block.text.match(SURROGATE_PAIR)?.length ?? 0);
    words += wordsOf(block.text, language).length;
    if (block.kind !== "heading") sentences += sentencesOf(block.text, language).length;
    sinceTurn += block.text.length;
    if (sinceTurn < COUNTED_PER_TURN) continue;
    sinceTurn = 0;
    await nextTurn();
    signal.throwIfAborted();
  }
  return { characters, words, sentences };
}

async function analyseBlocks(
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

function titleOf(document: LoadedDocument, blocks: readonly ProseBlock[], language: string): string {
  if (document.title !== undefined) return document.title;
  const headings = blocks.filter((block) => block.kind === "heading");
  const first = blocks[0];
  const title =
    headings.find((heading) => heading.depth === 1)?.text ??
    headings[0]?.text ??
    document.fileName ??
    (first === undefined ? "" : (sentencesOf(first.text.slice(0, TITLE_SEARCH_CHARACTERS), language)[0] ?? ""));
  const characters = [...title];
  return characters.length <= MAX_TITLE_CHARACTERS
    ? title
    : `${characters.slice(0, MAX_TITLE_CHARACTERS - 1).join("")}…`;
}
