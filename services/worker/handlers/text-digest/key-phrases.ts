import { rankNodes } from "#worker/handlers/text-digest/rank-nodes.js";
import type { AnalysedSentence } from "#worker/handlers/text-digest/sentence-analysis.js";

/** A key phrase and how much the text is about it. */
export interface KeyPhrase {
  readonly phrase: string;
  /** [0, 1]; the best phrase of a text has 1. */
  readonly score: number;
}

/** Words this close to each other within a sentence are neighbours. */
const WINDOW = 3;
/** So that one word does not fill the list with its compounds. */
const MAX_PHRASES_PER_WORD = 2;

interface Candidate {
  readonly words: readonly string[];
  /** Spellings in the order of their first use, and how often each occurs. */
  readonly spellings: Map<string, number>;
  count: number;
}

/**
 * The key phrases of a text, best first: words are ranked by TextRank over a graph of neighbouring words (Mihalcea and Tarau 2004, section
 * 3); a phrase scores the sum of its words' ranks over the square root of their number, more when it is used more often. A phrase whose
 * words all occur in a better one is left out, and no word stands in more than two.
 */
export function keyPhrases(sentences: readonly AnalysedSentence[], limit: number): KeyPhrase[] {
  const ranks = wordRanks(sentences);
  const candidates = collectCandidates(sentences).map((candidate) => {
    const sum = candidate.words.reduce((total, word) => total + (ranks.get(word) ?? 0), 0);
    return { candidate, score: (sum / Math.sqrt(candidate.words.length)) * (1 + Math.log(candidate.count)) };
  });
  candidates.sort((a, b) => b.score - a.score);
  const chosen: typeof candidates = [];
  const uses = new Map<string, number>();
  for (const entry of candidates) {
    if (chosen.length === limit) break;
    const { words } = entry.candidate;
    const repeats = chosen.some((better) => words.every((word) => better.candidate.words.includes(word)));
    if (repeats || words.some((word) => (uses.get(word) ?? 0) >= MAX_PHRASES_PER_WORD)) continue;
    chosen.push(entry);
    for (const word of words) uses.set(word, (uses.get(word) ?? 0) + 1);
  }
  const best = chosen[0]?.score ?? 1;
  return chosen.map(({ candidate, score }) => ({
    phrase: commonSpelling(candidate),
    score: Math.round((score / best) * 1000) / 1000,
  }));
}

function wordRanks(sentences: readonly AnalysedSentence[]): Map<string, number> {
  const nodes = new Map<string, number>();
  const graph: Map<number, number>[] = [];
  const nodeOf = (word: string): number => {
    let node = nodes.get(word);
    if (node === undefined) {
      node = graph.push(new Map()) - 1;
      nodes.set(word, node);
    }
    return node;
  };
  const connect = (a: number, b: number) => {
    const edges = graph[a];
    edges?.set(b, (edges.get(b) ?? 0) + 1);
  };
  for (const sentence of sentences) {
    const words = sentence.phrases.flatMap((phrase) => phrase.words).map(nodeOf);
    words.forEach((word, index) => {
      for (const other of words.slice(index + 1, index + WINDOW)) {
        if (other === word) continue;
        connect(word, other);
        connect(other, word);
      }
    });
  }
  const ranks = rankNodes(graph);
  return new Map([...nodes].map(([word, node]) => [word, ranks[node] ?? 0]));
}

function collectCandidates(sentences: readonly AnalysedSentence[]): Candidate[] {
  const candidates = new Map<string, Candidate>();
  for (const { phrases } of sentences) {
    for (const { text, words } of phrases) {
      const key = words.join(" ");
      let candidate = candidates.get(key);
      if (candidate === undefined) {
        candidate = { words: [...new Set(words)], spellings: new Map(), count: 0 };
        candidates.set(key, candidate);
      }
      candidate.count += 1;
      candidate.spellings.set(text, (candidate.spellings.get(text) ?? 0) + 1);
    }
  }
  return [...candidates.values()];
}

function commonSpelling(candidate: Candidate): string {
  let best = "";
  let most = 0;
  for (const [spelling, count] of candidate.spellings) {
    if (count > most) {
      best = spelling;
      most = count;
    }
  }
  return best;
}
