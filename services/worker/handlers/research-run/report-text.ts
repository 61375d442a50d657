import { escapeMarkdown } from "#worker/handlers/report-generate/escape-markdown.js";
import type { Source } from "#worker/handlers/research-run/choose-sources.js";

/** The languages of the report's own words. */
export type ResearchLanguage = "en" | "ko";

/** All a report says. */
export interface ReportContent {
  readonly query: string;
  readonly language: ResearchLanguage;
  readonly sections: readonly { readonly question: string; readonly text: string }[];
  /** Faults that were found and not repaired. */
  readonly openPoints: readonly string[];
  /** In the order of their numbers. */
  readonly sources: readonly Source[];
}

const LABELS = {
  en: {
    sources: "Sources",
    open: "Open points",
    nothing: "The sources do not answer this.",
    unanswered: (question: string) => `The sources do not answer: ${question}`,
    uncited: (question: string) => `No source is cited for: ${question}`,
  },
  ko: {
    sources: "출처",
    open: "남은 문제",
    nothing: "출처에 답이 없습니다.",
    unanswered: (question: string) => `출처에 답이 없음: ${question}`,
    uncited: (question: string) => `인용된 출처가 없음: ${question}`,
  },
};

/** The report's own words in a language. */
export function researchLabels(language: ResearchLanguage): (typeof LABELS)["en"] {
  return LABELS[language];
}

/** Writes the report as Markdown. The same content gives the same text: no time, no id, no path of the machine. */
export function reportText({ query, language, sections, openPoints, sources }: ReportContent): string {
  const labels = researchLabels(language);
  const body = sections.flatMap(({ question, text }) => [
    ...(sections.length > 1 ? [`## ${escapeLine(question)}`] : []),
    text === "" ? labels.nothing : text,
  ]);
  const open = openPoints.map((point) => `- ${escapeLine(point)}`).join("\n");
  return `${[
    `# ${escapeLine(query)}`,
    ...body,
    ...(open === "" ? [] : [`## ${labels.open}`, open]),
    `## ${labels.sources}`,
    sources.map(sourceLine).join("\n"),
  ].join("\n\n")}\n`;
}

function sourceLine({ title, origin }: Source, index: number): string {
  const where = "url" in origin ? `<${origin.url}>` : escapeLine(origin.path);
  return `${index + 1}. ${escapeLine(title)} — ${where}`;
}

function escapeLine(text: string): string {
  return escapeMarkdown(text.trim());
}
