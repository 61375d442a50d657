import { wholeNumber } from "#libs/config/setting-kinds.js";
import type { Schema, Settings } from "#libs/config/settings.js";

const MEBIBYTE = 1024 * 1024;

/** What documents may be like for text to be taken from them. */
export const documentSettings = {
  documentBytes: wholeNumber({
    env: "TASKWIRE_DOCUMENT_BYTES",
    doc: "Largest document file that text is taken from.",
    default: 50 * MEBIBYTE,
    min: 1024,
    max: 1024 * MEBIBYTE,
    unit: "bytes",
  }),
  documentUnpackedBytes: wholeNumber({
    env: "TASKWIRE_DOCUMENT_UNPACKED_BYTES",
    doc: "Most bytes that the text parts of one HWP or HWPX document may unpack to.",
    default: 32 * MEBIBYTE,
    min: 1024,
    max: 1024 * MEBIBYTE,
    unit: "bytes",
  }),
  documentDocxBytes: wholeNumber({
    env: "TASKWIRE_DOCUMENT_DOCX_BYTES",
    doc: "Most bytes that the XML of a DOCX may unpack to. Reading it takes some 70 times as much memory, of which `TASKWIRE_MEMORY_BYTES` must have room.",
    default: 6 * MEBIBYTE,
    min: 1024,
    max: 1024 * MEBIBYTE,
    unit: "bytes",
  }),
  documentUnpackRatio: wholeNumber({
    env: "TASKWIRE_DOCUMENT_UNPACK_RATIO",
    doc: "How many times its packed size one part of a packed document may unpack to, above 1 MiB.",
    default: 200,
    min: 1,
    max: 1032,
  }),
  documentEntries: wholeNumber({
    env: "TASKWIRE_DOCUMENT_ENTRIES",
    doc: "Most files in one packed document.",
    default: 10_000,
    min: 1,
    max: 65_535,
  }),
  documentPages: wholeNumber({
    env: "TASKWIRE_DOCUMENT_PAGES",
    doc: "Most pages of a PDF.",
    default: 5000,
    min: 1,
    max: 1_000_000,
  }),
  documentCharacters: wholeNumber({
    env: "TASKWIRE_DOCUMENT_CHARACTERS",
    doc: "Most characters of text taken from one document.",
    default: 20_000_000,
    min: 1,
    max: 200_000_000,
  }),
} satisfies Schema;

/** The limits of a document. */
export type DocumentLimits = Settings<typeof documentSettings>;
