import { setImmediate as nextTurn } from "node:timers/promises";
import { wordsOf } from "#worker/handlers/text-digest/split-text.js";
import type { Embedder, Embeddings } from "#worker/language-model/embedder.js";

const DIMENSIONS = 256;
/** Letters of the pieces of words, so that inflected and Korean words with particles meet their base forms. */
const GRAM_LENGTHS = [2, 3];
/** What a word counts against one of its pieces. */
const WORD_WEIGHT = 1;
const GRAM_WEIGHT = 0.5;
/** Texts in one turn of the event loop: only between two turns can a signal fire. */
const TEXTS_PER_TURN = 16;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * Embeds without a model and without a network: words (lower-cased, NFKC) and their pieces of two and three letters are hashed (32-bit
 * FNV-1a) to one of 256 dimensions and a sign each (the hashing trick of Weinberger et al., “Feature Hashing for Large Scale Multitask
 * Learning”, ICML 2009), weighed by the logarithm of 1 + their count, and the vector is brought to length 1. Texts that share words are close;
 * synonyms are not. A text without words has the zero vector.
 */
export class OfflineEmbedder implements Embedder {
  readonly provider = "offline";
  readonly model = "hashed-words-256";
  readonly dimensions = DIMENSIONS;

  async embed(texts: readonly string[], { signal }: { readonly signal: AbortSignal }): Promise<Embeddings> {
    const vectors: number[][] = [];
    let words = 0;
    for (const text of texts) {
      if (vectors.length % TEXTS_PER_TURN === 0) {
        await nextTurn();
        signal.throwIfAborted();
      }
      const found = wordsOf(text.normalize("NFKC").toLowerCase(), "und");
      words += found.length;
      vectors.push(vectorOf(found));
    }
    return { vectors, usage: { inputTokens: words, outputTokens: 0 } };
  }
}

function vectorOf(words: readonly string[]): number[] {
  const vector = new Array<number>(DIMENSIONS).fill(0);
  for (const [feature, { count, weight }] of countFeatures(words)) {
    const hash = fnv1a(feature);
    const sign = hash & 0x80000000 ? -1 : 1;
    const dimension = hash % DIMENSIONS;
    vector[dimension] = (vector[dimension] ?? 0) + sign * weight * Math.log1p(count);
  }
  const length = Math.hypot(...vector);
  return length === 0 ? vector : vector.map((value) => value / length);
}

function countFeatures(words: readonly string[]): Map<string, { count: number; weight: number }> {
  const features = new Map<string, { count: number; weight: number }>();
  const add = (feature: string, weight: number) => {
    const entry = features.get(feature);
    if (entry === undefined) features.set(feature, { count: 1, weight });
    else entry.count += 1;
  };
  for (const word of words) {
    add(word, WORD_WEIGHT);
    const letters = [...word];
    for (const length of GRAM_LENGTHS) {
      for (let start = 0; start + length <= letters.length; start += 1)
        add(`#${letters.slice(start, start + length).join("")}`, GRAM_WEIGHT);
    }
  }
  return features;
}

/** 32-bit FNV-1a (Fowler, Noll, Vo) of the UTF-8 bytes. */
function fnv1a(text: string): number {
  let hash = FNV_OFFSET;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, FNV_PRIME);
  return hash >>> 0;
}
