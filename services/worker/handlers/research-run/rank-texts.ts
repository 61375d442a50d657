import MiniSearch from "minisearch";
import { setImmediate as nextTurn } from "node:timers/promises";
import { isSearchedByBeginning, searchTerms } from "#worker/handlers/research-run/search-terms.js";

/** A text to be ranked, in pieces of any size. */
export interface RankedText {
  readonly title: string;
  readonly pieces: readonly string[];
}

/** A text that has a word of the query. */
export interface TextMatch {
  /** Position among the texts, from 0. */
  readonly index: number;
  /** BM25+ score, above 0. */
  readonly score: number;
}

/** How much more a word in the title counts than one in the text. */
const TITLE_BOOST = 2;
/** Characters between two looks at the signal, where pieces are short enough. */
const CHARACTERS_PER_TURN = 65_536;

/**
 * The texts that have a word of the query, best first by BM25+ (`minisearch`); equals keep their order. `terms` as `queryTerms` gives them.
 * Rejects with the signal's reason.
 */
export async function rankTexts(
  terms: readonly string[],
  texts: readonly RankedText[],
  signal: AbortSignal,
): Promise<TextMatch[]> {
  const index = new MiniSearch<{ id: number; title: string; text: string }>({
    fields: ["title", "text"],
    tokenize: (text) => text.split(" "),
    processTerm: (term) => term || null,
  });
  let sinceTurn = 0;
  for (const [id, { title, pieces }] of texts.entries()) {
    const words: string[] = [];
    for (const piece of pieces) {
      words.push(...searchTerms(piece));
      sinceTurn += piece.length;
      if (sinceTurn < CHARACTERS_PER_TURN) continue;
      sinceTurn = 0;
      await nextTurn();
      signal.throwIfAborted();
    }
    index.add({ id, title: searchTerms(title).join(" "), text: words.join(" ") });
  }
  signal.throwIfAborted();
  return index
    .search(terms.join(" "), { boost: { title: TITLE_BOOST }, prefix: isSearchedByBeginning })
    .map((match) => ({ index: Number(match.id), score: match.score }))
    .sort((a, b) => b.score - a.score || a.index - b.index);
}
