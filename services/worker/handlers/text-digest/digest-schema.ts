import { z } from "zod";

const path = z
  .string()
  .min(1)
  .max(4096)
  .refine((text) => !text.includes("\0"), "must not contain a NUL character");

/** A document: exactly one of `text` and `path`. */
export const documentFields = {
  /** The document itself. */
  text: z.string().optional(),
  /** A file on the worker's machine, absolute or relative to the worker's directory. */
  path: path.optional(),
  /** Overrides the document's own title. */
  title: z.string().min(1).max(200).optional(),
  format: z.enum(["markdown", "plain"]).optional(),
};

/** Whether a document has exactly one source. */
export function hasOneSource(document: { text?: string | undefined; path?: string | undefined }): boolean {
  return (document.text === undefined) !== (document.path === undefined);
}

/** What to say otherwise. */
export const ONE_SOURCE = "exactly one of text and path is needed";

/** A file path in a payload. */
export const pathField = path;

/** A language code of BCP 47 (`en`, `ko-KR`) or ISO 639-3 (`kor`). */
export const languageField = z.string().max(35).refine(isLanguageCode, "must be a language code such as en, ko or kor");

export const digestResult = z.object({
  title: z.string(),
  language: z.object({ code: z.string(), iso6393: z.string(), confidence: z.number().min(0).max(1) }),
  characters: z.int().min(0),
  words: z.int().min(0),
  sentences: z.int().min(0),
  keyPhrases: z.array(z.object({ phrase: z.string(), score: z.number().min(0).max(1) })),
  summary: z.array(z.string()),
  readingTimeSeconds: z.int().min(0),
});

function isLanguageCode(code: string): boolean {
  try {
    return /^[a-z]{2,3}$/.test(new Intl.Locale(code).language);
  } catch {
    return false;
  }
}
