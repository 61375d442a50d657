import { rankNodes } from "#worker/handlers/text-digest/rank-nodes.js";
import type { AnalysedSentence } from "#worker/handlers/text-digest/sentence-analysis.js";

/** A sentence and how central to its text it is. */
export interface RankedSentence {
  readonly sentence: AnalysedSentence;
  /** Position among the quotable sentences, from 0. */
  readonly index: number;
  readonly score: number;
}

/** Only this many sentences, the first ones, are compared with each other. */
const MAX_CANDIDATES = 400;
/** Content words a sentence needs to say something by itself. */
const MIN_TERMS = 3;
/** Content words beyond which a sentence is no summary. */
const MAX_TERMS = 60;
const SENTENCE_END = /[.!?。！？…][)\]”’"\']*$/;

/**
 * The most central sentences of a text in document order, by TextRank (Mihalcea and Tarau 2004, section 4): two sentences are alike by the
 * content words they share, over the logarithms of their lengths. Sentences that only introduce code or a list (they end in a colon) and
 * repeated ones are not quoted.
 */
export function summarise(sentences: readonly AnalysedSentence[], limit: number): string[] {
  return rankSentences(sentences)
    .sort((a, b) => b.score - a.score || a.index - b.index)
    .slice(0, limit)
    .sort((a, b) => a.index - b.index)
    .map(({ sentence }) => sentence.text);
}

/** The sentences of a text that may be quoted, in document order, with how central they are, as {@link summarise} has it: 1 on average. */
export function rankSentences(sentences: readonly AnalysedSentence[]): RankedSentence[] {
  const candidates = quotableSentences(sentences);
  const scores = rankNodes(similarityGraph(candidates));
  return candidates.map((sentence, index) => ({ sentence, index, score: scores[index] ?? 0 }));
}

/** Whole sentences that say something; where there are none, fragments that do; else whatever has a content word. */
function quotableSentences(sentences: readonly AnalysedSentence[]): AnalysedSentence[] {
  const seen = new Set<string>();
  const quotable = sentences.filter((sentence) => {
    if (!sentence.quotable || /[:：]$/.test(sentence.text) || seen.has(sentence.text)) return false;
    seen.add(sentence.text);
    return sentence.terms.length > 0;
  });
  const telling = quotable.filter(({ terms }) => terms.length >= MIN_TERMS && terms.length <= MAX_TERMS);
  const whole = telling.filter(({ text }) => SENTENCE_END.test(text));
  return ([whole, telling].find((tier) => tier.length > 0) ?? quotable).slice(0, MAX_CANDIDATES);
}

function similarityGraph(sentences: readonly AnalysedSentence[]): Map<number, number>[] {
  const graph = sentences.map(() => new Map<number, number>());
  const holders = new Map<string, number[]>();
  sentences.forEach(({ terms }, index) => {
    for (const term of new Set(terms)) {
      const before = holders.get(term);
      if (before === undefined) {
        holders.set(term, [index]);
        continue;
      }
      for (const other of before) {
        addEdge(graph, index, other);
        addEdge(graph, other, index);
      }
      before.push(index);
    }
  });
  graph.forEach((edges, a) => {
    for (const [b, shared] of edges) {
      const length = Math.log(sentences[a]?.terms.length ?? 1) + Math.log(sentences[b]?.terms.length ?? 1);
      edges.set(b, length > 0 ? shared / length : shared);
    }
  });
  return graph;
}

function addEdge(graph: readonly Map<number, number>[], from: number, to: number): void {
  const edges = graph[from];
  edges?.set(to, (edges.get(to) ?? 0) + 1);
}
