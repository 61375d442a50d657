import { z } from "zod";
import { defineTask } from "#libs/define-task/define-task.js";
import { digestDocument, type DigestStage } from "#worker/handlers/text-digest/digest-document.js";
import {
  digestResult,
  documentFields,
  hasOneSource,
  languageField,
  ONE_SOURCE,
} from "#worker/handlers/text-digest/digest-schema.js";
import { readDocument } from "#worker/handlers/text-digest/read-document.js";

const payload = z
  .object({
    ...documentFields,
    language: languageField.optional(),
    sentences: z.int().min(0).max(20).default(3),
    phrases: z.int().min(0).max(50).default(8),
  })
  .refine(hasOneSource, ONE_SOURCE);

/** Done share when a stage begins. */
const STAGE_FRACTION: Readonly<Record<DigestStage, number>> = { language: 0.1, words: 0.2, phrases: 0.4, summary: 0.8 };

/** `text.digest`: language, counts, key phrases and an extractive summary of one document. */
export default defineTask(
  "text.digest",
  { payload, result: digestResult, softTimeoutMs: 60_000, hardTimeoutMs: 90_000 },
  async (task) => {
    task.progress(0, "reading");
    const document = await readDocument(task.payload);
    task.signal.throwIfAborted();
    const digest = await digestDocument(document, {
      ...task.payload,
      signal: task.signal,
      onStage: (stage) => task.progress(STAGE_FRACTION[stage], stage),
    });
    task.progress(1, "done");
    const { title, language, characters, words, sentences, readingTimeSeconds } = digest;
    return {
      title,
      language,
      characters,
      words,
      sentences,
      keyPhrases: [...digest.keyPhrases],
      summary: [...digest.summary],
      readingTimeSeconds,
    };
  },
);
