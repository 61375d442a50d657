import { z } from "zod";
import { defineTask, PermanentError } from "#libs/define-task/define-task.js";
import { handlerSettings } from "#worker/handlers/handler-settings.js";
import { artifactPath, htmlPath } from "#worker/handlers/report-generate/artifact-path.js";
import { digestDocuments } from "#worker/handlers/report-generate/digest-documents.js";
import { indexRelevance } from "#worker/handlers/report-generate/index-relevance.js";
import { reportHtml } from "#worker/handlers/report-generate/report-html.js";
import { reportLabels } from "#worker/handlers/report-generate/report-labels.js";
import { reportMarkdown } from "#worker/handlers/report-generate/report-markdown.js";
import { reportPayload } from "#worker/handlers/report-generate/report-payload.js";
import { sectionMarkdown } from "#worker/handlers/report-generate/section-markdown.js";
import { refuseDirectory, writeArtifacts } from "#worker/handlers/report-generate/write-artifact.js";
import { writeSections } from "#worker/handlers/report-generate/write-sections.js";
import { languageModel } from "#worker/language-model/choose-model.js";

/** Skipped documents named in the result; the report names all. */
const MAX_SKIPPED_IN_RESULT = 100;
const MAX_REASON_CHARACTERS = 300;

const file = {
  path: z.string(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.int().min(1),
};

const result = z.object({
  ...file,
  html: z.object(file),
  documents: z.int().min(1),
  sections: z.int().min(0),
  provider: z.string(),
  model: z.string(),
  usage: z.object({ inputTokens: z.int().min(0), outputTokens: z.int().min(0) }),
  skippedCount: z.int().min(0),
  skipped: z.array(z.object({ path: z.string(), reason: z.string() })).max(MAX_SKIPPED_IN_RESULT),
  createTime: z.iso.datetime(),
});

/** `report.generate`: one report about a topic over many documents, as Markdown and as HTML, written whole or not at all. */
export default defineTask("report.generate", { payload: reportPayload, result }, async (task) => {
  const { topic, language, outputPath, documents: sources } = task.payload;
  const plan = task.payload.plan ?? [{ title: reportLabels(language).summary }];
  const { signal } = task;
  const path = artifactPath(task.taskId, outputPath);
  await refuseDirectory(path);
  await refuseDirectory(htmlPath(path));
  const total = sources.length + plan.length + 1;
  const stage = (current: number, message: string) => {
    task.progress({ current, total, message });
  };

  const { documents, skipped } = await digestDocuments(sources, signal, (index, name) => {
    stage(index, `reading ${name}`);
  });
  if (documents.length === 0) {
    throw new PermanentError(
      "NO_DOCUMENTS",
      `none of the ${skipped.length} documents can be used; the first: ${skipped[0]?.reason ?? ""}`,
    );
  }
  const rank = await indexRelevance(documents);
  const settings = handlerSettings();
  const model = languageModel(settings);
  const { sections, usage } = await writeSections(plan, {
    topic,
    language,
    rank,
    model,
    callTimeoutMs: settings.reportCallTimeoutMs,
    signal,
    onSection: (index, title) => {
      stage(sources.length + index, `writing section ${title}`);
    },
  });

  stage(total - 1, "saving");
  const isOffline = model.provider === "offline";
  const markdown = reportMarkdown({
    topic,
    language,
    sections: sections.map((section) => ({ ...section, text: sectionMarkdown(section.text, isOffline) })),
    author: isOffline ? model.provider : `${model.provider}: ${model.model}`,
    documents: await rank(topic),
    skipped,
  });
  const html = reportHtml(markdown, topic, language);
  const artifact = await writeArtifacts(task, async (write) => ({
    ...(await write(path, markdown)),
    html: await write(htmlPath(path), html),
  }));
  stage(total, "done");
  if (skipped.length > 0) task.log.warn("some documents were skipped", { skipped: skipped.length });
  return {
    ...artifact,
    documents: documents.length,
    sections: sections.length,
    provider: model.provider,
    model: model.model,
    usage,
    skippedCount: skipped.length,
    skipped: skipped.slice(0, MAX_SKIPPED_IN_RESULT).map(({ path: name, reason }) => ({
      path: name.slice(0, MAX_REASON_CHARACTERS).toWellFormed(),
      reason: reason.slice(0, MAX_REASON_CHARACTERS).toWellFormed(),
    })),
    createTime: new Date().toISOString(),
  };
});
