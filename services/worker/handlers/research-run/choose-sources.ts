import { oneLine } from "#worker/handlers/research-run/one-line.js";
import { passagesOf } from "#worker/handlers/research-run/passages.js";
import { rankTexts } from "#worker/handlers/research-run/rank-texts.js";
import type { Origin, SourceDocument } from "#worker/handlers/research-run/source-document.js";

/** A document that the report may rest on. */
export interface Source {
  readonly origin: Origin;
  readonly title: string;
  /** (0, 1]: BM25+ score over that of the best source, three decimals. */
  readonly score: number;
  readonly passages: readonly string[];
}

/** A passage of a source, for one question. */
export interface ChosenPassage {
  /** Position of the source, from 0. */
  readonly source: number;
  readonly text: string;
}

/** Characters of the passages that one question gets. */
const PASSAGE_CHARACTERS_PER_QUESTION = 12_000;
const MAX_PASSAGES_PER_SOURCE = 4;
/** Longest excerpt, characters. */
const MAX_EXCERPT_CHARACTERS = 400;

/** The documents that have a word of the query and more than headings, best first, at most `limit`, in passages. Rejects with the signal's reason. */
export async function chooseSources(
  terms: readonly string[],
  documents: readonly SourceDocument[],
  limit: number,
  signal: AbortSignal,
): Promise<Source[]> {
  const texts = documents.map(({ title, blocks }) => ({ title, pieces: blocks.map(({ text }) => text) }));
  const matches = await rankTexts(terms, texts, signal);
  const best = matches[0]?.score ?? 1;
  const sources: Source[] = [];
  for (const { index, score } of matches) {
    const document = documents[index];
    if (document === undefined || sources.length >= limit) continue;
    const passages = passagesOf(document.blocks);
    const share = Math.max(0.001, Math.round((score / best) * 1000) / 1000);
    if (passages.length > 0) sources.push({ origin: document.origin, title: document.title, score: share, passages });
  }
  return sources;
}

/**
 * The passages that fit a question best: at most four per source and 12,000 characters in all (one longer passage is taken whole), sources and
 * passages in their order. Rejects with the signal's reason.
 */
export async function choosePassages(
  terms: readonly string[],
  sources: readonly Source[],
  signal: AbortSignal,
): Promise<ChosenPassage[]> {
  const all = sources.flatMap(({ passages }, source) => passages.map((text) => ({ source, text })));
  const texts = all.map(({ text }) => ({ title: "", pieces: [text] }));
  const perSource = new Map<number, number>();
  const chosen = new Set<number>();
  let left = PASSAGE_CHARACTERS_PER_QUESTION;
  for (const { index } of await rankTexts(terms, texts, signal)) {
    const passage = all[index];
    const taken = perSource.get(passage?.source ?? -1) ?? 0;
    if (passage === undefined || taken >= MAX_PASSAGES_PER_SOURCE) continue;
    if (chosen.size > 0 && passage.text.length > left) continue;
    left -= passage.text.length;
    chosen.add(index);
    perSource.set(passage.source, taken + 1);
  }
  return all.filter((_, index) => chosen.has(index));
}

/** What a source says about the query: the beginning of its best passage, at most 400 characters. */
export async function excerptOf(terms: readonly string[], source: Source, signal: AbortSignal): Promise<string> {
  const texts = source.passages.map((text) => ({ title: "", pieces: [text] }));
  const [best] = await rankTexts(terms, texts, signal);
  const text = source.passages[best?.index ?? 0] ?? "";
  return oneLine(text.replace(/^### .*\n+/, ""), MAX_EXCERPT_CHARACTERS);
}
