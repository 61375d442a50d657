import { z } from "zod";

/** Bounds of what is kept of one resume. */
export const MAX_EMAILS = 10;
export const MAX_PHONES = 10;
export const MAX_SKILLS = 100;
export const MAX_EXPERIENCE = 50;
export const MAX_NAME_CHARACTERS = 80;
const MAX_ENTRY_CHARACTERS = 120;

/** A month (`2021-03`) or, where no more is said, a year. */
const point = z.string().regex(/^(19|20)\d{2}(-(0[1-9]|1[0-2]))?$/);

/** From when to when. `end` is null while it goes on, and where none is given. */
export const periodSchema = z.strictObject({ start: point, end: point.nullable(), ongoing: z.boolean() });

/** One position held. */
export const experienceSchema = z.strictObject({
  company: z.string().max(MAX_ENTRY_CHARACTERS).nullable(),
  title: z.string().max(MAX_ENTRY_CHARACTERS).nullable(),
  period: periodSchema.nullable(),
});

/** What is found in a resume. Names, email addresses and phone numbers are personal: they leave the handler masked or sealed only. */
export const resumeFactsSchema = z.strictObject({
  name: z.string().max(MAX_NAME_CHARACTERS).nullable(),
  emails: z.array(z.string().max(254)).max(MAX_EMAILS),
  /** E.164: `+821012345678`. */
  phones: z.array(z.string().max(20)).max(MAX_PHONES),
  skills: z.array(z.string().max(60)).max(MAX_SKILLS),
  experience: z.array(experienceSchema).max(MAX_EXPERIENCE),
});

/** See {@link resumeFactsSchema}. */
export type ResumeFacts = z.infer<typeof resumeFactsSchema>;

/** See {@link experienceSchema}. */
export type Experience = z.infer<typeof experienceSchema>;

/** See {@link periodSchema}. */
export type Period = z.infer<typeof periodSchema>;

/** Cuts a company or a title to what is kept of it. */
export function entryText(text: string): string {
  return text.slice(0, MAX_ENTRY_CHARACTERS).toWellFormed().trim();
}
