import { z } from "zod";
import { documentFields, pathField } from "#worker/handlers/text-digest/digest-schema.js";
import { REPORT_LANGUAGES } from "#worker/handlers/report-generate/report-labels.js";

const source = z
  .strictObject({
    ...documentFields,
    /** A page or a text on the web. */
    url: z
      .url({ protocol: /^https?$/ })
      .max(2048)
      .optional(),
  })
  .refine(
    ({ text, path, url }) => [text, path, url].filter((given) => given !== undefined).length === 1,
    "exactly one of text, path and url is needed",
  );

const section = z.strictObject({
  title: z.string().trim().min(1).max(200),
  /** What the section is to say; default: what the sources say about its title. */
  about: z.string().trim().min(1).max(2000).optional(),
});

/** What `report.generate` is asked for. */
export const reportPayload = z.strictObject({
  topic: z.string().trim().min(1).max(500),
  /** The sources. */
  documents: z.array(source).min(1).max(2000),
  /** The sections that the language model writes; default: a summary. */
  plan: z.array(section).max(30).optional(),
  /** The Markdown file, absolute or relative to the worker's directory; default `.taskwire/artifacts/<task id>.md`. */
  outputPath: pathField.optional(),
  /** The language of headings, figures and written sections. */
  language: z.enum(REPORT_LANGUAGES).default("en"),
});

/** A source of a report: exactly one of a text, a path and a URL. */
export type ReportSource = z.output<typeof source>;

/** A section as it is planned. */
export type PlannedSection = z.output<typeof section>;
