import type { CountryCode } from "libphonenumber-js";
import { z } from "zod";
import { DOCUMENT_FORMATS } from "#worker/documents/document-format.js";
import { isPhoneCountry } from "#worker/handlers/resume-process/find-contacts.js";
import {
  experienceSchema,
  MAX_EMAILS,
  MAX_EXPERIENCE,
  MAX_PHONES,
  MAX_SKILLS,
} from "#worker/handlers/resume-process/resume-facts.js";
import { pathField } from "#worker/handlers/text-digest/digest-schema.js";

const webAddress = z
  .string()
  .max(2048)
  .refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), "must be a URL of http or https");

/** What `resume.process` is asked. */
export const resumePayload = z
  .strictObject({
    /** A file on the worker's machine, absolute or relative to the worker's directory. */
    path: pathField.optional(),
    url: webAddress.optional(),
    /** ISO 3166-1 alpha-2: where phone numbers without a country code are from. */
    country: z
      .custom<CountryCode>(
        (code) => typeof code === "string" && isPhoneCountry(code),
        "must be a country code such as KR",
      )
      .default("KR"),
    /** `auto`: a language model if one is configured, else rules. */
    analysis: z.enum(["auto", "rules"]).default("auto"),
    embeddings: z.boolean().default(true),
    /** A page to take a picture of. */
    portfolioUrl: webAddress.optional(),
    /** Told when everything else is done. */
    webhook: webAddress.optional(),
    /** Default `.taskwire/artifacts/<task id>.resume`. */
    outputPath: pathField.optional(),
  })
  .refine(({ path, url }) => (path === undefined) !== (url === undefined), "exactly one of path and url is needed");

/** See {@link resumePayload}. */
export type ResumePayload = z.infer<typeof resumePayload>;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const usage = z.strictObject({ inputTokens: z.number().min(0), outputTokens: z.number().min(0) });

/** What it returns: nothing in it is personal but in masked form. */
export const resumeResult = z.strictObject({
  ids: z.strictObject({
    taskId: z.string(),
    /** Of the file as it was obtained. */
    documentSha256: sha256,
    /** The same for the same first email address, else phone number, else name; made with the key, so that nobody can guess from it. */
    person: z.string().nullable(),
  }),
  document: z.strictObject({
    format: z.enum(DOCUMENT_FORMATS),
    bytes: z.int().min(1),
    pages: z.int().nullable(),
    characters: z.int().min(1),
  }),
  analysis: z.strictObject({ provider: z.string(), model: z.string(), usage }),
  masked: z.strictObject({
    name: z.string().nullable(),
    emails: z.array(z.string()).max(MAX_EMAILS),
    phones: z.array(z.string()).max(MAX_PHONES),
  }),
  skills: z.array(z.string()).max(MAX_SKILLS),
  experience: z.array(experienceSchema).max(MAX_EXPERIENCE),
  chunks: z.strictObject({ structured: z.int(), section: z.int(), fullText: z.int() }),
  /** Null: none were asked for. */
  embeddings: z
    .strictObject({
      provider: z.string(),
      model: z.string(),
      dimensions: z.int().nullable(),
      count: z.int(),
      failed: z.int(),
      usage,
    })
    .nullable(),
  picture: z.strictObject({ sha256, bytes: z.int() }).nullable(),
  artifact: z.strictObject({ path: z.string(), sha256, bytes: z.int() }),
  /** The status of its receiver; null: none was asked for, or it did not arrive. */
  webhookStatus: z.int().nullable(),
  /** Stages that an earlier attempt had finished. */
  resumedStages: z.array(z.string()),
  warnings: z.array(z.strictObject({ code: z.string(), message: z.string() })),
});

/** See {@link resumeResult}. */
export type ResumeResult = z.infer<typeof resumeResult>;
