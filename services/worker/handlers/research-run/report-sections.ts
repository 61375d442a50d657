import { cutText } from "#libs/errors/error-message.js";
import type { ChosenPassage, Source } from "#worker/handlers/research-run/choose-sources.js";
import type { CritiquePoint } from "#worker/handlers/research-run/ask-model.js";
import { citedNumbers, citeQuotes, renumberCitations } from "#worker/handlers/research-run/citations.js";

/** A question of the plan, what the sources have on it, and what was written. */
export interface ReportSection {
  readonly question: string;
  readonly passages: readonly ChosenPassage[];
  /** As the model wrote it, with its own numbers of the material; empty: not yet, or the material has nothing. */
  readonly written: string;
  /** The same with the numbers of the sources. */
  readonly text: string;
}

/** Longest text of a section, UTF-16 units. */
const MAX_SECTION_CHARACTERS = 8000;

/** One text per source that the passages come from, under its title. */
export function materialOf(passages: readonly ChosenPassage[], sources: readonly Source[]): string[] {
  return sourcesOf(passages).map((source) =>
    [
      `# ${sources[source]?.title ?? ""}`,
      ...passages.filter((passage) => passage.source === source).map(({ text }) => text),
    ].join("\n\n"),
  );
}

/** A section with what the model wrote: cut to 8,000 characters, with the numbers of the sources, quotations cited. */
export function writtenSection(section: ReportSection, answer: string): ReportSection {
  const written = cutText(answer.replace(/[^\P{Cc}\n]/gu, " ").trim(), MAX_SECTION_CHARACTERS);
  const numbers = sourcesOf(section.passages).map((source) => source + 1);
  const citable = section.passages.map(({ source, text }) => ({ number: source + 1, text }));
  return { ...section, written, text: citeQuotes(renumberCitations(written, numbers), citable) };
}

/** The faults of sections that no judgement is needed for: nothing written, or nothing cited. */
export function plainFaults(
  sections: readonly ReportSection[],
  labels: { readonly unanswered: (question: string) => string; readonly uncited: (question: string) => string },
): CritiquePoint[] {
  return sections.flatMap(({ question, text }, section) => {
    if (text === "") return [{ section, text: labels.unanswered(question) }];
    return citedNumbers(text).length === 0 ? [{ section, text: labels.uncited(question) }] : [];
  });
}

/** Positions of the sources, each once, rising. */
function sourcesOf(passages: readonly ChosenPassage[]): number[] {
  return [...new Set(passages.map(({ source }) => source))].sort((a, b) => a - b);
}
