import { escapeMarkdown } from "#worker/handlers/report-generate/escape-markdown.js";
import type { RankedDocument } from "#worker/handlers/report-generate/index-relevance.js";
import {
  reportLabels,
  type ReportLabels,
  type ReportLanguage,
} from "#worker/handlers/report-generate/report-labels.js";

/** A section that a language model wrote. */
export interface ReportSection {
  readonly title: string;
  /** Markdown. */
  readonly text: string;
  readonly sources: readonly RankedDocument[];
}

/** A document that is not in the report. */
export interface SkippedDocument {
  /** The path or URL, or `documents[3]` for a text of the payload. */
  readonly path: string;
  readonly reason: string;
}

/** All a report says. */
export interface ReportContent {
  readonly topic: string;
  readonly language: ReportLanguage;
  readonly sections: readonly ReportSection[];
  /** Who wrote the sections: `offline` or `openai: gpt-5`. */
  readonly author: string;
  /** Best first. */
  readonly documents: readonly RankedDocument[];
  readonly skipped: readonly SkippedDocument[];
}

const OVERALL_PHRASES = 20;

/** Writes a report as Markdown. The same content gives the same text: no time, no random id. */
export function reportMarkdown(content: ReportContent): string {
  const labels = reportLabels(content.language);
  const numbers = new Intl.NumberFormat(content.language);
  const parts = [
    `# ${escapeMarkdown(content.topic)}`,
    labels.lead(numbers.format(content.documents.length), numbers.format(sum(content, "words"))),
    ...contents(content, labels),
    ...writtenSections(content, labels),
    ...overview(content, labels, numbers),
    ...overallPhrases(content, labels, numbers),
    ...relevanceTable(content, labels, numbers),
    `<a id="documents"></a>\n\n## ${labels.documents}`,
    ...content.documents.flatMap((document, index) => documentSection(document, index + 1, labels, content, numbers)),
    ...skippedSection(content, labels),
  ];
  return `${parts.join("\n\n")}\n`;
}

function contents(content: ReportContent, labels: ReportLabels): string[] {
  const lines = [
    ...content.sections.map(({ title }, index) => `- [${escapeMarkdown(title)}](#section-${index + 1})`),
    `- [${labels.overview}](#overview)`,
    `- [${labels.keyPhrases}](#key-phrases)`,
    `- [${labels.byRelevance}](#by-relevance)`,
    `- [${labels.documents}](#documents)`,
    ...content.documents.map(
      ({ digest }, index) => `  - [${index + 1}. ${escapeMarkdown(digest.title)}](#document-${index + 1})`,
    ),
  ];
  if (content.skipped.length > 0) lines.push(`- [${labels.skipped}](#skipped)`);
  return [`## ${labels.contents}`, lines.join("\n")];
}

function writtenSections(content: ReportContent, labels: ReportLabels): string[] {
  const numbers = new Map(content.documents.map(({ index }, position) => [index, position + 1]));
  return content.sections.flatMap(({ title, text, sources }, index) => {
    const links = sources.map(
      ({ index: document, digest }, position) =>
        `[${position + 1}: ${escapeMarkdown(digest.title)}](#document-${numbers.get(document) ?? 1})`,
    );
    const heading = `<a id="section-${index + 1}"></a>\n\n## ${escapeMarkdown(title)}`;
    const from = `*${labels.writtenFrom(links.join(" · "), escapeMarkdown(content.author))}*`;
    return [heading, text === "" ? labels.noSummary : text, from];
  });
}

function overview(content: ReportContent, labels: ReportLabels, numbers: Intl.NumberFormat): string[] {
  const languages = new Map<string, number>();
  for (const { digest } of content.documents)
    languages.set(digest.language.code, (languages.get(digest.language.code) ?? 0) + 1);
  const languageList = [...languages]
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .map(([code, count]) => `${languageName(code, content.language)} (${numbers.format(count)})`);
  const minutes = Math.ceil(sum(content, "readingTimeSeconds") / 60);
  const rows = [
    [labels.documents, numbers.format(content.documents.length)],
    [labels.skipped, numbers.format(content.skipped.length)],
    [labels.words, numbers.format(sum(content, "words"))],
    [labels.sentences, numbers.format(sum(content, "sentences"))],
    [labels.readingTime, labels.minutes(numbers.format(minutes))],
    [labels.languages, languageList.join(", ")],
  ];
  return [`<a id="overview"></a>\n\n## ${labels.overview}`, table(["", ""], rows)];
}

/** Phrases of single documents, added up: a phrase that leads many documents comes first. */
function overallPhrases(content: ReportContent, labels: ReportLabels, numbers: Intl.NumberFormat): string[] {
  const totals = new Map<string, { phrase: string; score: number; documents: number }>();
  for (const { digest } of content.documents) {
    for (const { phrase, score } of digest.keyPhrases) {
      const key = phrase.toLowerCase();
      const total = totals.get(key) ?? { phrase, score: 0, documents: 0 };
      total.score += score;
      total.documents += 1;
      totals.set(key, total);
    }
  }
  const rows = [...totals.values()]
    .sort((a, b) => b.score - a.score || (a.phrase < b.phrase ? -1 : 1))
    .slice(0, OVERALL_PHRASES)
    .map(({ phrase, documents }) => [escapeMarkdown(phrase), numbers.format(documents)]);
  return [`<a id="key-phrases"></a>\n\n## ${labels.keyPhrases}`, table([labels.phrase, labels.documents], rows)];
}

function relevanceTable(content: ReportContent, labels: ReportLabels, numbers: Intl.NumberFormat): string[] {
  const rows = content.documents.map(({ digest, relevance }, index) => [
    String(index + 1),
    `[${escapeMarkdown(digest.title)}](#document-${index + 1})`,
    relevance.toFixed(3),
    numbers.format(digest.words),
    digest.language.code,
  ]);
  const head = ["#", labels.document, labels.relevance, labels.words, labels.language];
  return [`<a id="by-relevance"></a>\n\n## ${labels.byRelevance}`, table(head, rows)];
}

function documentSection(
  { digest, path, relevance }: RankedDocument,
  number: number,
  labels: ReportLabels,
  content: ReportContent,
  numbers: Intl.NumberFormat,
): string[] {
  const facts = [
    `- ${labels.relevance}: ${relevance.toFixed(3)}`,
    `- ${labels.language}: ${languageName(digest.language.code, content.language)}`,
    `- ${labels.words}: ${numbers.format(digest.words)} · ${labels.sentences}: ${numbers.format(digest.sentences)}`,
  ];
  if (path !== undefined) facts.push(`- ${labels.source}: ${escapeMarkdown(path)}`);
  if (digest.keyPhrases.length > 0) {
    facts.push(`- ${labels.keyPhrases}: ${digest.keyPhrases.map(({ phrase }) => escapeMarkdown(phrase)).join(", ")}`);
  }
  const summary = digest.summary.map((sentence) => `> ${escapeMarkdown(sentence)}`).join("\n>\n");
  return [
    `<a id="document-${number}"></a>\n\n### ${number}. ${escapeMarkdown(digest.title)}`,
    facts.join("\n"),
    summary === "" ? labels.noSummary : summary,
  ];
}

function skippedSection(content: ReportContent, labels: ReportLabels): string[] {
  if (content.skipped.length === 0) return [];
  const rows = content.skipped.map(({ path, reason }) => [escapeMarkdown(path), escapeMarkdown(reason)]);
  return [`<a id="skipped"></a>\n\n## ${labels.skipped}`, table([labels.source, labels.reason], rows)];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function sum(content: ReportContent, field: "words" | "sentences" | "readingTimeSeconds"): number {
  return content.documents.reduce((total, { digest }) => total + digest[field], 0);
}

function languageName(code: string, language: ReportLanguage): string {
  return new Intl.DisplayNames(language, { type: "language" }).of(code) ?? code;
}
