import MiniSearch from "minisearch";
import { termsOf } from "#worker/handlers/text-digest/analyse-blocks.js";
import { detectLanguage, type DetectedLanguage } from "#worker/handlers/text-digest/detect-language.js";
import type { DocumentDigest } from "#worker/handlers/text-digest/digest-document.js";

/** A digested document of a report. */
export interface ReportDocument {
  /** Position in the payload, from 0. */
  readonly index: number;
  /** The path or URL it came from; unset for a text in the payload. */
  readonly path: string | undefined;
  /** Its beginning, as material for written sections. */
  readonly excerpt: string;
  readonly digest: DocumentDigest;
}

/** A document and how much it is about the topic. */
export interface RankedDocument extends ReportDocument {
  /** [0, 1]: BM25+ score over that of the best document; 0 when no word of the topic occurs. */
  readonly relevance: number;
}

/** How much more a word in the title counts than one in the text. */
const TITLE_BOOST = 2;

/**
 * Indexes documents and gives what orders them by relevance to a topic, best first; equals keep their order. The score is BM25+ by `minisearch` over base forms, so
 * that `작업을` matches `작업` and `queues` matches `queue`; documents in another language than the topic match by shared names only.
 */
export async function indexRelevance(
  documents: readonly ReportDocument[],
): Promise<(topic: string) => Promise<RankedDocument[]>> {
  const index = new MiniSearch<{ id: number; title: string; text: string }>({
    fields: ["title", "text"],
    tokenize: (text) => text.split(" "),
    processTerm: (term) => term || null,
  });
  for (const { index: id, digest } of documents) {
    const title = await termsOf(digest.title, digest.language);
    index.add({ id, title: title.join(" "), text: digest.terms.join(" ") });
  }
  return async (topic) => ranked(index, await topicTerms(topic, documents), documents);
}

function ranked(
  index: MiniSearch<{ id: number; title: string; text: string }>,
  query: readonly string[],
  documents: readonly ReportDocument[],
): RankedDocument[] {
  const scores = new Map<number, number>();
  for (const match of index.search(query.join(" "), { boost: { title: TITLE_BOOST } }))
    scores.set(Number(match.id), match.score);
  const best = Math.max(0, ...scores.values());
  return documents
    .map((document) => ({
      ...document,
      relevance: best > 0 ? Math.round(((scores.get(document.index) ?? 0) / best) * 1000) / 1000 : 0,
    }))
    .sort((a, b) => b.relevance - a.relevance || a.index - b.index);
}

/** A topic is too short to judge its language by trigrams: Korean by its script, else what most documents are written in. */
async function topicTerms(topic: string, documents: readonly ReportDocument[]): Promise<readonly string[]> {
  const detected = detectLanguage(topic);
  const language = detected.code === "ko" ? detected : (mostCommonLanguage(documents) ?? detected);
  const terms = await termsOf(topic, language);
  return terms.length > 0 ? terms : topic.toLowerCase().split(/\s+/);
}

function mostCommonLanguage(documents: readonly ReportDocument[]): DetectedLanguage | undefined {
  const counts = new Map<string, { language: DetectedLanguage; count: number }>();
  for (const { digest } of documents) {
    if (digest.language.code === "ko") continue;
    const entry = counts.get(digest.language.code) ?? { language: digest.language, count: 0 };
    entry.count += 1;
    counts.set(digest.language.code, entry);
  }
  return [...counts.values()].sort((a, b) => b.count - a.count)[0]?.language;
}
