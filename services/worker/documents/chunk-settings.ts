import { wholeNumber } from "#libs/config/setting-kinds.js";
import type { Schema } from "#libs/config/settings.js";

const MIN = 100;
const MAX = 1_000_000;
const unit = "characters";

/** How texts are cut into chunks unless a payload says otherwise. */
export const chunkSettings = {
  chunkStructuredCharacters: wholeNumber({
    env: "TASKWIRE_CHUNK_STRUCTURED_CHARACTERS",
    doc: "Longest chunk of structured text.",
    default: 2000,
    min: MIN,
    max: MAX,
    unit,
  }),
  chunkFullTextCharacters: wholeNumber({
    env: "TASKWIRE_CHUNK_FULL_TEXT_CHARACTERS",
    doc: "Longest chunk of a full text.",
    default: 8000,
    min: MIN,
    max: MAX,
    unit,
  }),
  chunkSectionCharacters: wholeNumber({
    env: "TASKWIRE_CHUNK_SECTION_CHARACTERS",
    doc: "Longest chunk of a section.",
    default: 1500,
    min: MIN,
    max: MAX,
    unit,
  }),
  chunkSectionOverlap: wholeNumber({
    env: "TASKWIRE_CHUNK_SECTION_OVERLAP",
    doc: "What a chunk of a section repeats at most of the one before it; at most half a chunk is used.",
    default: 300,
    min: 0,
    max: MAX,
    unit,
  }),
  chunkKoreanCharacters: wholeNumber({
    env: "TASKWIRE_CHUNK_KOREAN_CHARACTERS",
    doc: "Longest chunk of a section where more than half of the letters are Korean.",
    default: 2000,
    min: MIN,
    max: MAX,
    unit,
  }),
  chunkKoreanOverlap: wholeNumber({
    env: "TASKWIRE_CHUNK_KOREAN_OVERLAP",
    doc: "What a chunk of a Korean section repeats at most of the one before it; at most half a chunk is used.",
    default: 500,
    min: 0,
    max: MAX,
    unit,
  }),
} satisfies Schema;
