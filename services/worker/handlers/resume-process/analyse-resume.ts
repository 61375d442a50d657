import type { CountryCode } from "libphonenumber-js";
import { z } from "zod";
import type { HandlerSettings } from "#worker/handlers/handler-settings.js";
import { analyseByModel } from "#worker/handlers/resume-process/analyse-by-model.js";
import { analyseByRules } from "#worker/handlers/resume-process/analyse-by-rules.js";
import { checkIdentity } from "#worker/handlers/resume-process/check-identity.js";
import { resumeFactsSchema } from "#worker/handlers/resume-process/resume-facts.js";
import { languageModel } from "#worker/language-model/choose-model.js";

/** Characters that rules look at, and that a model is shown. */
const MAX_RULES_CHARACTERS = 200_000;
const MAX_MODEL_CHARACTERS = 60_000;

/** The facts of a resume, and who found them. */
export const analysisSchema = z.strictObject({
  facts: resumeFactsSchema,
  provider: z.string(),
  model: z.string(),
  usage: z.strictObject({ inputTokens: z.number(), outputTokens: z.number() }),
});

/** See {@link analysisSchema}. */
export type ResumeAnalysis = z.infer<typeof analysisSchema>;

/** What analysing goes by. */
export interface AnalyseOptions {
  readonly country: CountryCode;
  /** `auto`: by the language model unless that is the offline one. */
  readonly analysis: "auto" | "rules";
  readonly settings: HandlerSettings;
  readonly signal: AbortSignal;
}

/**
 * Checks that a resume is of one person and finds its facts, in the first 200,000 characters; a model is shown the first 60,000. Throws
 * PermanentError `MULTI_IDENTITY`, and what `analyseByModel` throws.
 */
export async function analyseResume(text: string, options: AnalyseOptions): Promise<ResumeAnalysis> {
  const { country, settings, signal } = options;
  const known = text.slice(0, MAX_RULES_CHARACTERS);
  checkIdentity(known, country);
  signal.throwIfAborted();
  const model = languageModel(settings);
  if (options.analysis === "rules" || model.provider === "offline") {
    const usage = { inputTokens: 0, outputTokens: 0 };
    return { facts: analyseByRules(known, country), provider: "rules", model: "rules-1", usage };
  }
  const { facts, usage } = await analyseByModel(known.slice(0, MAX_MODEL_CHARACTERS), country, { model, signal });
  return { facts, provider: model.provider, model: model.model, usage };
}
