/** A text that a section may rest on. */
export interface CitableText {
  /** Number of its source, from 1. */
  readonly number: number;
  readonly text: string;
}

const CITATION = /\[(\d{1,3})\]/g;

/** The numbers that a text cites, each once, rising. */
export function citedNumbers(text: string): number[] {
  const numbers = [...text.matchAll(CITATION)].map((match) => Number(match[1]));
  return [...new Set(numbers)].sort((a, b) => a - b);
}

/** Replaces the numbers that a text cites: `[n]` becomes the n-th of `numbers`. Numbers that have none are taken out. */
export function renumberCitations(text: string, numbers: readonly number[]): string {
  return text.replace(/ ?\[(\d{1,3})\]/g, (whole, cited: string) => {
    const number = numbers[Number(cited) - 1];
    return number === undefined ? "" : whole.replace(cited, String(number));
  });
}

/** Gives every paragraph that cites nothing, but stands word for word in a text, a citation of the first such text. */
export function citeQuotes(text: string, texts: readonly CitableText[]): string {
  const plain = texts.map((citable) => ({ number: citable.number, text: oneSpaced(citable.text) }));
  return text
    .split(/\n{2,}/)
    .map((paragraph) => {
      if (paragraph.trim() === "" || citedNumbers(paragraph).length > 0) return paragraph;
      const number = quotedFrom(oneSpaced(paragraph), plain);
      return number === undefined ? paragraph : `${paragraph.trimEnd()} [${number}]`;
    })
    .join("\n\n");
}

/** A paragraph may join sentences that stand apart in its source: then its first sentence decides. */
function quotedFrom(paragraph: string, texts: readonly CitableText[]): number | undefined {
  const first = /^.*?[.!?。！？](?=\s|$)/.exec(paragraph)?.[0] ?? paragraph;
  const found = texts.find(({ text }) => text.includes(paragraph)) ?? texts.find(({ text }) => text.includes(first));
  return found?.number;
}

function oneSpaced(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
