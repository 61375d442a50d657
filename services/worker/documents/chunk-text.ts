/** How a text is cut. */
export interface ChunkOptions {
  /** Longest chunk, characters as JavaScript counts them (an emoji is two or more), at least 2. */
  readonly maxCharacters: number;
  /** Most characters that a chunk repeats of the one before it; less than `maxCharacters`. */
  readonly overlapCharacters: number;
  /** BCP 47 code whose rules for sentences and words hold; default `und`, Unicode's own. */
  readonly language?: string;
}

/** A piece of a text. */
export interface TextChunk {
  /** From 0. */
  readonly index: number;
  /** Where it begins and ends in the text: `text.slice(start, end)`. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Characters behind the limit that are looked at to tell whether a sentence or grapheme ends there. */
const LOOK_AHEAD = 200;

/**
 * Cuts a text into chunks that cover it in order. A chunk ends at the last sentence end (Unicode UAX 29, by `Intl.Segmenter`; a single
 * line break ends no sentence, an empty line does) that fits, else at the last line end, else between words, else between graphemes. The
 * next one begins at the first sentence within the last `overlapCharacters`, else at the first word, else at the first grapheme.
 *
 * No cut falls within a grapheme, unless one is longer than a whole chunk; then it falls between code points. An empty text gives no chunk.
 * Throws RangeError for limits that are no whole numbers or do not fit each other.
 */
export function chunkText(text: string, options: ChunkOptions): readonly TextChunk[] {
  return [...textChunks(text, options)];
}

/** {@link chunkText} one chunk at a time, for texts that take long. */
export function* textChunks(text: string, options: ChunkOptions): Generator<TextChunk, void, void> {
  const { maxCharacters, overlapCharacters } = options;
  if (!Number.isSafeInteger(maxCharacters) || maxCharacters < 2) {
    throw new RangeError("maxCharacters must be a whole number of at least 2");
  }
  if (!Number.isSafeInteger(overlapCharacters) || overlapCharacters < 0 || overlapCharacters >= maxCharacters) {
    throw new RangeError("overlapCharacters must be a whole number from 0 to maxCharacters less 1");
  }
  const segmenters = segmentersOf(options.language ?? "und");
  let start = 0;
  let end = 0;
  for (let index = 0; end < text.length; index += 1) {
    const covered = end;
    start = index === 0 ? 0 : nextStart(text, { start, end }, options, segmenters);
    end = text.length - start <= maxCharacters ? text.length : nextEnd(text, start, covered, maxCharacters, segmenters);
    yield { index, start, end, text: text.slice(start, end) };
  }
}

interface Segmenters {
  readonly sentence: Intl.Segmenter;
  readonly word: Intl.Segmenter;
  readonly grapheme: Intl.Segmenter;
}

function segmentersOf(language: string): Segmenters {
  return {
    sentence: new Intl.Segmenter(language, { granularity: "sentence" }),
    word: new Intl.Segmenter(language, { granularity: "word" }),
    grapheme: new Intl.Segmenter(language, { granularity: "grapheme" }),
  };
}

/** The end of the chunk that begins at `start`: above `covered`, at most `maxCharacters` behind the start. */
function nextEnd(
  text: string,
  start: number,
  covered: number,
  maxCharacters: number,
  { sentence, word, grapheme }: Segmenters,
): number {
  const window = text.slice(start, start + maxCharacters + LOOK_AHEAD);
  const least = covered - start;
  const whole = (cut: number) => boundaryUpTo(grapheme, window, cut);
  const sentenceEnd = boundaryUpTo(sentence, unwrapped(window), maxCharacters);
  if (whole(sentenceEnd) > least) return start + whole(sentenceEnd);
  const lineEnd = window.lastIndexOf("\n", maxCharacters - 1) + 1;
  if (whole(lineEnd) > least) return start + whole(lineEnd);
  const wordEnd = boundaryUpTo(word, window, maxCharacters);
  if (whole(wordEnd) > least) return start + whole(wordEnd);
  if (whole(maxCharacters) > least) return start + whole(maxCharacters);
  return start + (splitsPair(window, maxCharacters) ? maxCharacters - 1 : maxCharacters);
}

/** Where the chunk behind `previous` begins: in its last `overlapCharacters`, or right behind it. */
function nextStart(
  text: string,
  { start, end }: { readonly start: number; readonly end: number },
  { maxCharacters, overlapCharacters }: ChunkOptions,
  { sentence, word, grapheme }: Segmenters,
): number {
  const window = text.slice(start, end + Math.max(LOOK_AHEAD, maxCharacters));
  const length = end - start;
  // The next chunk begins at least a character later than this one, and has room for the grapheme that this one ended before.
  const earliest = Math.max(length - overlapCharacters, 1, boundaryFrom(grapheme, window, length + 1) - maxCharacters);
  if (earliest >= length) return end;
  for (const [segmenter, shown] of [
    [sentence, unwrapped(window)],
    [word, window],
    [grapheme, window],
  ] as const) {
    const candidate = boundaryFrom(grapheme, window, boundaryFrom(segmenter, shown, earliest));
    if (candidate < length) return start + candidate;
  }
  return end;
}

/** The last boundary at or before `position`. */
function boundaryUpTo(segmenter: Intl.Segmenter, text: string, position: number): number {
  return position >= text.length ? text.length : (segmenter.segment(text).containing(position)?.index ?? 0);
}

/** The first boundary at or behind `position`. */
function boundaryFrom(segmenter: Intl.Segmenter, text: string, position: number): number {
  if (position >= text.length) return text.length;
  const found = segmenter.segment(text).containing(position);
  if (found === undefined || found.index === position) return position;
  return found.index + found.segment.length;
}

/**
 * The text with single line breaks as spaces, for the sentences that they interrupt; of the line breaks around empty lines the last one
 * stays, so that the end of the sentence is behind them all.
 */
function unwrapped(text: string): string {
  return text.replace(/\r?\n(?:[ \t]*\r?\n)*/g, (breaks) =>
    breaks.indexOf("\n") === breaks.length - 1 ? " ".repeat(breaks.length) : `${" ".repeat(breaks.length - 1)}\n`,
  );
}

function splitsPair(text: string, position: number): boolean {
  return /[\uD800-\uDBFF]/.test(text.charAt(position - 1)) && /[\uDC00-\uDFFF]/.test(text.charAt(position));
}
