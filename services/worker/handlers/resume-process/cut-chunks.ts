import { z } from "zod";
import { chunkLimits, type ChunkKind } from "#worker/documents/chunk-limits.js";
import type { chunkSettings } from "#worker/documents/chunk-settings.js";
import { chunkText } from "#worker/documents/chunk-text.js";
import type { Settings } from "#libs/config/settings.js";
import type { ResumeFacts } from "#worker/handlers/resume-process/resume-facts.js";
import { resumeSections } from "#worker/handlers/resume-process/resume-sections.js";

/** A chunk of a resume: of its facts as lines, of one section, or of the whole text. */
export const resumeChunkSchema = z.strictObject({
  kind: z.enum(["structured", "section", "full_text"]),
  /** The section's number, from 0; 0 for other kinds. */
  section: z.int().min(0),
  start: z.int().min(0),
  end: z.int().min(0),
  text: z.string(),
});

/** See {@link resumeChunkSchema}. */
export type ResumeChunk = z.infer<typeof resumeChunkSchema>;

/** Cuts a resume three ways, by the limits that the settings give each kind: facts, sections, whole text. */
export function cutChunks(text: string, facts: ResumeFacts, settings: Settings<typeof chunkSettings>): ResumeChunk[] {
  const limits = {
    structured: chunkLimits("structured", text, settings),
    section: chunkLimits("section", text, settings),
    full_text: chunkLimits("full_text", text, settings),
  } satisfies Record<ChunkKind, unknown>;
  const cut = (kind: ChunkKind, whole: string, section = 0): ResumeChunk[] =>
    chunkText(whole, limits[kind]).map(({ start, end, text: piece }) => {
      return { kind, section, start, end, text: piece };
    });
  const sections = resumeSections(text).map(({ lines }) => lines.join("\n"));
  return [
    ...cut("structured", factLines(facts)),
    ...sections.flatMap((section, index) => cut("section", section, index)),
    ...cut("full_text", text),
  ];
}

function factLines({ name, emails, phones, skills, experience }: ResumeFacts): string {
  const positions = experience.map(({ company, title, period }) => {
    const time = period === null ? "" : `${period.start} – ${period.end ?? ""}`;
    return [title, company, time].filter(Boolean).join(", ");
  });
  return [name, ...emails, ...phones, skills.join(", "), ...positions].filter(Boolean).join("\n");
}
