import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Garu, type Token } from "garu-ko";
import {
  MAX_PHRASE_WORDS,
  type CandidatePhrase,
  type SentenceAnalyser,
} from "#worker/handlers/text-digest/sentence-analysis.js";
import { stopWordsOf } from "#worker/handlers/text-digest/stop-words.js";

const STOP_WORDS = stopWordsOf("kor");
/** Common nouns, proper nouns, foreign words, Chinese characters. */
const NOUN = new Set(["NNG", "NNP", "SL", "SH"]);
const NOUN_PREFIX_OR_SUFFIX = new Set(["XPN", "XSN"]);
/** What makes a verb or an adjective of the noun before it: 저장 + 하다. */
const VERBAL_SUFFIX = new Set(["XSV", "XSA"]);
/** Verb and adjective stems, and roots. */
const STEM = new Set(["VV", "VA", "XR"]);

let garu: Promise<Garu> | undefined;

/**
 * Content words and noun phrases of Korean by morphemes: particles (조사) and endings (어미) are split off by the `garu-ko` analyser (Sejong
 * tags, model inside the package). A phrase is a run of nouns with nothing between them; nouns that carry 하다 or 되다 count as words only.
 */
export async function loadKoreanAnalyser(): Promise<SentenceAnalyser> {
  garu ??= load();
  const analyser = await garu;
  return (sentence) => analyseTokens(koreanTokens(analyser, sentence));
}

/** Starts the package's WebAssembly first, because `Garu.load` alone does it in a way that writes a warning to the console. */
async function load(): Promise<Garu> {
  const [{ default: startWasm }, wasm] = await Promise.all([
    import("garu-ko/pkg/garu_wasm.js"),
    readFile(fileURLToPath(import.meta.resolve("garu-ko/pkg/garu_wasm_bg.wasm"))),
  ]);
  await startWasm({ module_or_path: wasm });
  return Garu.load();
}

function koreanTokens(analyser: Garu, sentence: string): readonly Token[] {
  const answer = analyser.analyze(sentence);
  return Array.isArray(answer) ? (answer[0]?.tokens ?? []) : answer.tokens;
}

function analyseTokens(tokens: readonly Token[]): ReturnType<SentenceAnalyser> {
  const terms: string[] = [];
  const phrases: CandidatePhrase[] = [];
  let run: Token[] = [];
  const closeRun = () => {
    const phrase = phraseOf(run);
    if (phrase !== undefined) phrases.push(phrase);
    run = [];
  };
  tokens.forEach((token, index) => {
    const next = tokens[index + 1];
    const verbal = next !== undefined && VERBAL_SUFFIX.has(next.pos) && next.start === token.start;
    const noun = NOUN.has(token.pos);
    if ((noun || STEM.has(token.pos)) && isContent(token.text)) terms.push(token.text.toLowerCase());
    if ((noun && !verbal) || NOUN_PREFIX_OR_SUFFIX.has(token.pos)) run.push(token);
    else closeRun();
  });
  closeRun();
  return { terms, phrases };
}

function isContent(text: string): boolean {
  return /\p{L}/u.test(text) && !STOP_WORDS.has(text);
}

/** Morphemes of one spaced word (they share its offsets) are written together, words apart. */
function phraseOf(run: readonly Token[]): CandidatePhrase | undefined {
  let text = "";
  const words: string[] = [];
  run.forEach((token, index) => {
    const joined = index > 0 && run[index - 1]?.start === token.start;
    text += index > 0 && !joined ? ` ${token.text}` : token.text;
    if (joined) words.push(`${words.pop() ?? ""}${token.text.toLowerCase()}`);
    else words.push(token.text.toLowerCase());
  });
  const short = text.length < 2 || !/\p{L}/u.test(text);
  if (short || words.length > MAX_PHRASE_WORDS || words.every((word) => STOP_WORDS.has(word))) return undefined;
  return { text, words };
}
