import { PermanentError, type PartialFailure, type TaskContext } from "#libs/define-task/define-task.js";
import type { HandlerSettings } from "#worker/handlers/handler-settings.js";
import {
  critiquePoints,
  critiqueRequest,
  planRequest,
  plannedQuestions,
  sectionRequest,
  type CritiquePoint,
} from "#worker/handlers/research-run/ask-model.js";
import { choosePassages, chooseSources, excerptOf, type Source } from "#worker/handlers/research-run/choose-sources.js";
import { gatherDocuments, type GatheredDocuments } from "#worker/handlers/research-run/gather-documents.js";
import {
  materialOf,
  plainFaults,
  writtenSection,
  type ReportSection,
} from "#worker/handlers/research-run/report-sections.js";
import { reportText, researchLabels, type ResearchLanguage } from "#worker/handlers/research-run/report-text.js";
import { queryTerms } from "#worker/handlers/research-run/search-terms.js";
import type { WorkflowSteps } from "#worker/handlers/research-run/workflow.js";
import { sentencesOf } from "#worker/handlers/text-digest/split-text.js";
import {
  addUsage,
  type CompletionRequest,
  type LanguageModel,
  type TokenUsage,
} from "#worker/language-model/language-model.js";

/** What is to be found out. */
export interface ResearchOrder {
  readonly query: string;
  readonly folder: string | undefined;
  readonly search: boolean;
  /** BCP 47 code; unset: that of the query. */
  readonly language: ResearchLanguage | undefined;
  readonly maxQuestions: number;
  readonly maxSources: number;
}

/** A source in the result. */
export type ResultSource = Source["origin"] & {
  readonly title: string;
  readonly score: number;
  readonly excerpt: string;
};

type Warning = PartialFailure["warnings"][number];

/** Done share when a step begins. */
const FRACTION = { plan: 0.1, gather: 0.2, read: 0.3, draft: 0.4, finalize: 0.95 };

/** The steps of one research, and what they found out so far. The signal of its task goes to everything that waits. */
export class Research implements WorkflowSteps {
  readonly #order: ResearchOrder;
  readonly #settings: HandlerSettings;
  readonly #model: LanguageModel;
  readonly #task: Pick<TaskContext, "signal" | "progress" | "output" | "log">;
  readonly #maxRounds: number;
  /** The offline provider quotes; it can neither plan nor judge nor write anew. */
  readonly #quotes: boolean;
  readonly #warnings: Warning[] = [];
  #usage: TokenUsage = { inputTokens: 0, outputTokens: 0 };
  #questions: readonly string[] = [];
  #terms: readonly string[] = [];
  #gathered: GatheredDocuments | undefined;
  #sources: readonly Source[] = [];
  #resultSources: readonly ResultSource[] = [];
  #sections: readonly ReportSection[] = [];
  #points: readonly CritiquePoint[] = [];
  #report = "";

  constructor(
    order: ResearchOrder,
    settings: HandlerSettings,
    model: LanguageModel,
    task: Pick<TaskContext, "signal" | "progress" | "output" | "log">,
    maxRounds: number,
  ) {
    this.#order = order;
    this.#settings = settings;
    this.#model = model;
    this.#task = task;
    this.#maxRounds = maxRounds;
    this.#quotes = model.provider === "offline";
  }

  get report(): string {
    return this.#report;
  }

  get sources(): readonly ResultSource[] {
    return this.#resultSources;
  }

  get usage(): TokenUsage {
    return this.#usage;
  }

  get warnings(): readonly Warning[] {
    return this.#warnings;
  }

  /** Splits the query into questions: by the model, or, where it only quotes, by sentences. */
  async plan(): Promise<void> {
    this.#begin(FRACTION.plan);
    const { query, maxQuestions, language } = this.#order;
    const answer = this.#quotes
      ? sentencesOf(query, "und").join("\n")
      : await this.#ask(planRequest(query, maxQuestions, this.#answerLanguage));
    this.#questions = plannedQuestions(answer, query, maxQuestions);
    const terms = new Set<string>();
    for (const text of [query, ...this.#questions]) for (const term of await queryTerms(text)) terms.add(term);
    this.#terms = [...terms];
    this.#task.output(`${this.#questions.map((question, index) => `${index + 1}. ${question}`).join("\n")}\n`, "plan");
    this.#task.log.info("planned", { questions: this.#questions.length, language: language ?? this.#language });
  }

  /** Reads the folder, asks the endpoint. */
  async gather(): Promise<void> {
    this.#begin(FRACTION.gather);
    const { folder, search, maxSources } = this.#order;
    const order = { folder, search, questions: this.#questions, limit: maxSources };
    const gathered = await gatherDocuments(order, this.#settings, this.#task.signal);
    this.#gathered = gathered;
    const { documents, skippedFiles, isCut } = gathered;
    if (skippedFiles > 0) this.#task.log.warn("some files cannot be used", { files: skippedFiles });
    if (isCut) this.#task.log.warn("the folder has more than is read of it", { documents: documents.length });
    this.#task.log.info("gathered", { documents: documents.length });
  }

  /** Chooses the sources by BM25, and for each question its passages. */
  async read(): Promise<void> {
    this.#begin(FRACTION.read);
    const { signal } = this.#task;
    const { documents = [], searchFailure } = this.#gathered ?? {};
    this.#sources = await chooseSources(this.#terms, documents, this.#order.maxSources, signal);
    if (this.#sources.length === 0) {
      throw (
        searchFailure ??
        new PermanentError("NO_SOURCES", `none of ${documents.length} documents has a word of the query`)
      );
    }
    if (searchFailure !== undefined) {
      this.#warnings.push({ code: searchFailure.code, message: searchFailure.message });
    }
    const sections: ReportSection[] = [];
    for (const question of this.#questions) {
      const own = await choosePassages(await queryTerms(question), this.#sources, signal);
      // Who writes may have put the question into other words than the sources.
      const passages = own.length > 0 || this.#quotes ? own : await choosePassages(this.#terms, this.#sources, signal);
      sections.push({ question, passages, written: "", text: "" });
    }
    this.#sections = sections;
    this.#resultSources = await this.#excerpts();
    this.#gathered = undefined;
    this.#task.log.info("read", { sources: this.#sources.length });
  }

  /** Writes the sections; in a later round those that the critique named. Each streams as a chunk of `draft`. */
  async draft(round: number): Promise<void> {
    const sections = [...this.#sections];
    for (const [index, section] of this.#sections.entries()) {
      this.#begin(this.#roundFraction(round, index / (sections.length + 1)));
      const points = this.#points.filter((point) => point.section === undefined || point.section === index);
      if (section.passages.length === 0 || (round > 1 && points.length === 0)) continue;
      const revision =
        section.written === "" ? undefined : { text: section.written, points: points.map(({ text }) => text) };
      const request = sectionRequest({
        query: this.#order.query,
        question: section.question,
        material: materialOf(section.passages, this.#sources),
        language: this.#answerLanguage,
        revision,
      });
      const written = writtenSection(section, await this.#ask(request));
      sections[index] = written;
      this.#task.output(`## ${round}.${index + 1} ${section.question}\n\n${written.text}\n\n`, "draft");
    }
    this.#sections = sections;
  }

  /** Looks for faults, by rules and, unless it only quotes, by the model. Streams them as a chunk of `critique`. */
  async critique(round: number): Promise<boolean> {
    this.#begin(this.#roundFraction(round, this.#sections.length / (this.#sections.length + 1)));
    const faults = plainFaults(this.#sections, researchLabels(this.#language));
    const judged = this.#quotes ? [] : await this.#judge();
    this.#points = [...faults, ...judged];
    const lines = this.#points.map(
      ({ section, text }) => `- ${section === undefined ? "" : `${section + 1}: `}${text}`,
    );
    this.#task.output(`## ${round}\n\n${lines.length === 0 ? "OK" : lines.join("\n")}\n\n`, "critique");
    this.#task.log.info("criticised", { round, points: this.#points.length });
    const canRepair = this.#points.some(
      ({ section }) => section === undefined || (this.#sections[section]?.passages.length ?? 0) > 0,
    );
    return canRepair && !this.#quotes;
  }

  /** Puts the report together. */
  async finalize(): Promise<void> {
    this.#task.progress(FRACTION.finalize, "finalizing results");
    this.#report = reportText({
      query: this.#order.query,
      language: this.#language,
      sections: this.#sections,
      openPoints: this.#points.map(({ text }) => text),
      sources: this.#sources,
    });
    await Promise.resolve();
  }

  async #judge(): Promise<CritiquePoint[]> {
    const all = this.#sections.flatMap(({ passages }) => passages);
    const once = [...new Map(all.map((passage) => [`${passage.source} ${passage.text}`, passage])).values()];
    const material = this.#sources.map(({ title }, source) =>
      [`# ${title}`, ...once.filter((passage) => passage.source === source).map(({ text }) => text)].join("\n\n"),
    );
    const answer = await this.#ask(critiqueRequest(this.#sections, material, this.#answerLanguage));
    return critiquePoints(answer, this.#sections.length);
  }

  async #excerpts(): Promise<ResultSource[]> {
    const sources: ResultSource[] = [];
    for (const source of this.#sources) {
      const excerpt = await excerptOf(this.#terms, source, this.#task.signal);
      sources.push({ ...source.origin, title: source.title, score: source.score, excerpt });
    }
    return sources;
  }

  async #ask(request: CompletionRequest): Promise<string> {
    const { signal } = this.#task;
    signal.throwIfAborted();
    const { text, usage } = await this.#model.complete(request, { signal });
    this.#usage = addUsage(this.#usage, usage);
    return text;
  }

  #begin(fraction: number): void {
    this.#task.signal.throwIfAborted();
    this.#task.progress(Math.round(fraction * 1000) / 1000, "running research");
  }

  #roundFraction(round: number, share: number): number {
    const span = (FRACTION.finalize - FRACTION.draft) / this.#maxRounds;
    return FRACTION.draft + span * (round - 1 + share);
  }

  get #language(): ResearchLanguage {
    return this.#order.language ?? (/\p{Script=Hangul}/u.test(this.#order.query) ? "ko" : "en");
  }

  /** Unset, the model answers in the language of the question. */
  get #answerLanguage(): string | undefined {
    return this.#order.language ?? (this.#language === "ko" ? "ko" : undefined);
  }
}
