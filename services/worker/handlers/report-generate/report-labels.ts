/** The report's own words. */
export interface ReportLabels {
  readonly contents: string;
  readonly overview: string;
  readonly documents: string;
  readonly skipped: string;
  readonly words: string;
  readonly sentences: string;
  readonly readingTime: string;
  readonly languages: string;
  readonly language: string;
  readonly keyPhrases: string;
  readonly phrase: string;
  readonly byRelevance: string;
  readonly relevance: string;
  readonly document: string;
  readonly source: string;
  readonly reason: string;
  readonly noSummary: string;
  readonly summary: string;
  readonly writtenFrom: (sources: string, author: string) => string;
  readonly minutes: (minutes: string) => string;
  readonly lead: (documents: string, words: string) => string;
}

const ENGLISH: ReportLabels = {
  contents: "Contents",
  overview: "Overview",
  documents: "Documents",
  skipped: "Skipped documents",
  words: "Words",
  sentences: "Sentences",
  readingTime: "Reading time",
  languages: "Languages",
  language: "Language",
  keyPhrases: "Key phrases",
  phrase: "Phrase",
  byRelevance: "Documents by relevance",
  relevance: "Relevance",
  document: "Document",
  source: "Source",
  reason: "Reason",
  noSummary: "Nothing to summarise.",
  summary: "Summary",
  writtenFrom: (sources, author) => `Written by ${author} from: ${sources}`,
  minutes: (minutes) => `${minutes} min`,
  lead: (documents, words) =>
    `A digest of ${documents} documents, ${words} words in all, ordered by their relevance to the topic.`,
};

const KOREAN: ReportLabels = {
  contents: "차례",
  overview: "개요",
  documents: "문서",
  skipped: "건너뛴 문서",
  words: "단어",
  sentences: "문장",
  readingTime: "읽는 시간",
  languages: "언어",
  language: "언어",
  keyPhrases: "핵심 어구",
  phrase: "어구",
  byRelevance: "관련도순 문서",
  relevance: "관련도",
  document: "문서",
  source: "출처",
  reason: "이유",
  noSummary: "요약할 문장이 없습니다.",
  summary: "요약",
  writtenFrom: (sources, author) => `작성: ${author} · 자료: ${sources}`,
  minutes: (minutes) => `${minutes}분`,
  lead: (documents, words) => `문서 ${documents}건, 단어 ${words}개를 주제와의 관련도순으로 정리했습니다.`,
};

/** The languages a report can be written in. */
export const REPORT_LANGUAGES = ["en", "ko"] as const;

/** A language a report can be written in. */
export type ReportLanguage = (typeof REPORT_LANGUAGES)[number];

/** The labels of a language. */
export function reportLabels(language: ReportLanguage): ReportLabels {
  return language === "ko" ? KOREAN : ENGLISH;
}
