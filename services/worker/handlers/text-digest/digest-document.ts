import { setImmediate as nextTurn } from "node:timers/promises";
import { analyseBlocks, sampleOf } from "#worker/handlers/text-digest/analyse-blocks.js";
import { detectLanguage, givenLanguage, type DetectedLanguage } from "#worker/handlers/text-digest/detect-language.js";
import { documentProse, type ProseBlock } from "#worker/handlers/text-digest/document-prose.js";
import { keyPhrases, type KeyPhrase } from "#worker/handlers/text-digest/key-phrases.js";
import type { LoadedDocument } from "#worker/handlers/text-digest/read-document.js";
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

/** Mean silent reading rate of English non-fiction (M. Brysbaert, “How many words do we read per minute?”, Journal of Memory and Language 109, 2019). */
const WORDS_PER_MINUTE = 238;
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
