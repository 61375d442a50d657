/** An undirected weighted graph: per node its neighbours and the weights of the edges to them. Both directions must be present. */
export type WeightedGraph = readonly ReadonlyMap<number, number>[];

/** Chance to follow an edge rather than to jump, as in PageRank and TextRank. */
const DAMPING = 0.85;
/** The ranking has converged when no score moves by more than this; the threshold of the TextRank paper. */
const CONVERGED = 0.0001;
const MAX_ROUNDS = 100;

/**
 * Scores the nodes of a graph by TextRank (R. Mihalcea and P. Tarau, “TextRank: Bringing Order into Texts”, EMNLP 2004, section 2.2):
 * PageRank with weighted edges. A node without neighbours scores 1 − 0.85. Deterministic.
 */
export function rankNodes(graph: WeightedGraph): number[] {
  const strength = graph.map((edges) => {
    let sum = 0;
    for (const weight of edges.values()) sum += weight;
    return sum;
  });
  let scores = graph.map(() => 1);
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    let moved = 0;
    const previous = scores;
    scores = graph.map((edges, node) => {
      let sum = 0;
      for (const [neighbour, weight] of edges)
        sum += (weight / (strength[neighbour] ?? 1)) * (previous[neighbour] ?? 0);
      const score = 1 - DAMPING + DAMPING * sum;
      moved = Math.max(moved, Math.abs(score - (previous[node] ?? 0)));
      return score;
    });
    if (moved <= CONVERGED) break;
  }
  return scores;
}
