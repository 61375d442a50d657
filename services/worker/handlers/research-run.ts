import { z } from "zod";
import { defineTask, PartialFailure } from "#libs/define-task/define-task.js";
import { handlerSettings } from "#worker/handlers/handler-settings.js";
import { createWorkflow } from "#worker/handlers/research-run/workflow.js";
import { pathField } from "#worker/handlers/text-digest/digest-schema.js";

/** Most sources of a report. With the bounds of texts it keeps the result below 256 KiB. */
const MAX_SOURCES = 10;

const payload = z.strictObject({
  query: z.string().trim().min(1).max(1000),
  /** Where the documents are; default: the setting `TASKWIRE_RESEARCH_FOLDER`. */
  folder: pathField.optional(),
  /** Whether the search endpoint of the settings is asked, too. */
  search: z.boolean().default(true),
  /** Of the report's own words, and of the answers of models that write; default: Korean for a query with Hangul, else English labels. */
  language: z.enum(["en", "ko"]).optional(),
  /** Most questions of the plan, each a section. */
  maxQuestions: z.int().min(1).max(5).default(3),
  maxSources: z.int().min(1).max(MAX_SOURCES).default(6),
  /** How often the draft may be written again after a critique. */
  maxRevisions: z.int().min(0).max(3).default(1),
});

const source = z.object({
  path: z.string().optional(),
  url: z.string().optional(),
  title: z.string(),
  score: z.number().gt(0).max(1),
  excerpt: z.string(),
});

const tokens = z.int().min(0);
const result = z.object({
  /** `partial`: the search endpoint failed, the documents of the folder sufficed. */
  status: z.enum(["completed", "partial"]),
  report: z.string(),
  sessionId: z.string(),
  query: z.string(),
  sources: z.array(source).min(1).max(MAX_SOURCES),
  provider: z.string(),
  model: z.string(),
  usage: z.object({ inputTokens: tokens, outputTokens: tokens }),
});

/** `research.run`: answers a question from documents, by a graph of steps: plan, gather, read, draft, critique, finalize. */
export default defineTask("research.run", { payload, result }, async (task) => {
  task.progress(0, "initializing workflow");
  const { maxRevisions, query, folder, language, ...rest } = task.payload;
  const settings = handlerSettings();
  const [{ languageModel }, { Research }] = await Promise.all([
    import("#worker/language-model/choose-model.js"),
    import("#worker/handlers/research-run/research.js"),
  ]);
  const model = languageModel(settings);
  const maxRounds = maxRevisions + 1;
  const research = new Research({ query, folder, language, ...rest }, settings, model, task, maxRounds);
  task.signal.throwIfAborted();
  task.progress(0.05, "creating graph");
  const workflow = await createWorkflow(research, maxRounds);
  task.signal.throwIfAborted();
  await workflow.run(task.signal);
  task.progress(1, "finalizing results");
  const { report, sources, usage, warnings } = research;
  const found = {
    status: warnings.length > 0 ? ("partial" as const) : ("completed" as const),
    report,
    sessionId: `research-${task.taskId}`,
    query,
    sources: [...sources],
    provider: model.provider,
    model: model.model,
    usage: { ...usage },
  };
  if (warnings.length > 0) throw new PartialFailure(found, warnings);
  return found;
});
