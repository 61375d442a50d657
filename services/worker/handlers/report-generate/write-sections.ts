import { RetryableError } from "#libs/define-task/define-task.js";
import type { RankedDocument } from "#worker/handlers/report-generate/index-relevance.js";
import type { PlannedSection } from "#worker/handlers/report-generate/report-payload.js";
import type { ReportLanguage } from "#worker/handlers/report-generate/report-labels.js";
import {
  addUsage,
  type Completion,
  type LanguageModel,
  type TokenUsage,
} from "#worker/language-model/language-model.js";
import { parseFailure } from "#worker/language-model/provider-failure.js";

/** A section as the language model wrote it. */
export interface WrittenSection {
  readonly title: string;
  /** Markdown of the model; of the offline one plain text. */
  readonly text: string;
  /** What it was given, best first. */
  readonly sources: readonly RankedDocument[];
}

/** Everything that was written. */
export interface WrittenSections {
  readonly sections: readonly WrittenSection[];
  readonly usage: TokenUsage;
}

/** What the model writes from, and how. */
export interface WritingOptions {
  readonly topic: string;
  readonly language: ReportLanguage;
  /** Orders the documents by a topic. */
  readonly rank: (topic: string) => Promise<readonly RankedDocument[]>;
  readonly model: LanguageModel;
  /** For one section, further tries included. */
  readonly callTimeoutMs: number;
  readonly signal: AbortSignal;
  readonly onSection: (index: number, title: string) => void;
}

/** Documents that one section is written from. */
const SOURCES_PER_SECTION = 6;
const MAX_SECTION_CHARACTERS = 100_000;
const SYSTEM =
  "You write sections of a report in Markdown: paragraphs and lists, no heading, no HTML. Name the number of the material after what you took from it, as in [1].";

/**
 * Has the planned sections written one after the other, each from the beginnings of the six documents that are most about it. Throws what the
 * model throws, and RetryableError `LLM_TIMEOUT` when a section takes longer than it may.
 */
export async function writeSections(
  plan: readonly PlannedSection[],
  options: WritingOptions,
): Promise<WrittenSections> {
  const sections: WrittenSection[] = [];
  let usage: TokenUsage = { inputTokens: 0, outputTokens: 0 };
  for (const [index, section] of plan.entries()) {
    options.signal.throwIfAborted();
    options.onSection(index, section.title);
    const query = `${options.topic} ${section.title} ${section.about ?? ""}`;
    const sources = (await options.rank(query)).slice(0, SOURCES_PER_SECTION);
    const answer = await completeInTime(section, sources, options);
    if (answer.text.length > MAX_SECTION_CHARACTERS) throw parseFailure("the section is too long");
    sections.push({ title: section.title, text: answer.text, sources });
    usage = addUsage(usage, answer.usage);
  }
  return { sections, usage };
}

async function completeInTime(
  { title, about }: PlannedSection,
  sources: readonly RankedDocument[],
  { topic, language, model, callTimeoutMs, signal }: WritingOptions,
): Promise<Completion> {
  const late = new AbortController();
  const timer = setTimeout(() => {
    const message = `the language model did not write a section within ${callTimeoutMs} ms`;
    late.abort(new RetryableError("LLM_TIMEOUT", message, { details: { timeoutMs: callTimeoutMs } }));
  }, callTimeoutMs);
  try {
    return await model.complete(
      {
        system: SYSTEM,
        prompt: `Topic of the report: ${topic}\nSection to write: ${title}${about === undefined ? "" : `\nWhat it is to say: ${about}`}`,
        material: sources.map(({ digest, excerpt }) => `${digest.title}\n\n${excerpt}`),
        language,
      },
      { signal: AbortSignal.any([signal, late.signal]) },
    );
  } finally {
    clearTimeout(timer);
  }
}
