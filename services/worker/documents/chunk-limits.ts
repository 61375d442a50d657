import type { Settings } from "#libs/config/settings.js";
import type { chunkSettings } from "#worker/documents/chunk-settings.js";

/** What a text is cut for. */
export const CHUNK_KINDS = ["structured", "full_text", "section"] as const;

/** One of them. */
export type ChunkKind = (typeof CHUNK_KINDS)[number];

/** From this share of Korean letters on, exclusive, a text is cut as Korean. */
const KOREAN_SHARE = 0.5;

/**
 * The limits that the settings give a text: `structured` and `full_text` without overlap, `section` with one, and by other figures
 * where more than half of the letters are Korean. An overlap above half a chunk counts as half a chunk.
 */
export function chunkLimits(
  kind: ChunkKind,
  text: string,
  settings: Settings<typeof chunkSettings>,
): { readonly maxCharacters: number; readonly overlapCharacters: number } {
  if (kind === "structured") return { maxCharacters: settings.chunkStructuredCharacters, overlapCharacters: 0 };
  if (kind === "full_text") return { maxCharacters: settings.chunkFullTextCharacters, overlapCharacters: 0 };
  const korean = koreanShare(text) > KOREAN_SHARE;
  const maxCharacters = korean ? settings.chunkKoreanCharacters : settings.chunkSectionCharacters;
  const overlap = korean ? settings.chunkKoreanOverlap : settings.chunkSectionOverlap;
  return { maxCharacters, overlapCharacters: Math.min(overlap, Math.floor(maxCharacters / 2)) };
}

/** The share of Hangul among the letters of a text, [0, 1]; 0 without letters. */
export function koreanShare(text: string): number {
  const letters = countCharacters(text, /\p{L}+/gu);
  return letters === 0 ? 0 : countCharacters(text, /(?:(?=\p{Script=Hangul})\p{L})+/gu) / letters;
}

function countCharacters(text: string, runs: RegExp): number {
  let characters = 0;
  for (const [run] of text.matchAll(runs)) characters += run.length;
  return characters;
}
