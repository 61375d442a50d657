import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { z } from "zod";
import type { TaskContext } from "#libs/define-task/define-task.js";
import type { Warning } from "#libs/define-task/task-errors.js";
import type { KeyRing } from "#libs/sealing/key-ring.js";
import type { HandlerSettings } from "#worker/handlers/handler-settings.js";
import { ARTIFACT_DIRECTORY } from "#worker/handlers/report-generate/artifact-path.js";
import { refuseDirectory } from "#worker/handlers/report-generate/write-artifact.js";
import { analyseResume, analysisSchema } from "#worker/handlers/resume-process/analyse-resume.js";
import type { CheckpointStore } from "#worker/handlers/resume-process/checkpoint-store.js";
import { cutChunks, resumeChunkSchema, type ResumeChunk } from "#worker/handlers/resume-process/cut-chunks.js";
import { embedChunks, type ChunkEmbeddings } from "#worker/handlers/resume-process/embed-chunks.js";
import { maskEmail, maskName, maskPhone } from "#worker/handlers/resume-process/mask-personal.js";
import { partialFailure } from "#worker/handlers/resume-process/partial-failure.js";
import { readResume } from "#worker/handlers/resume-process/read-resume.js";
import { redactor, type Redactor } from "#worker/handlers/resume-process/redact-personal.js";
import { entryText, type ResumeFacts } from "#worker/handlers/resume-process/resume-facts.js";
import type { ResumePayload, ResumeResult } from "#worker/handlers/resume-process/resume-schema.js";
import { Stages } from "#worker/handlers/resume-process/stages.js";
import { takePicture } from "#worker/handlers/resume-process/take-picture.js";
import { tryAgain } from "#worker/handlers/resume-process/try-again.js";
import {
  isIntact,
  writeResume,
  writtenSchema,
  type ResumeContent,
} from "#worker/handlers/resume-process/write-resume.js";
import { sendWebhook } from "#worker/handlers/webhook-deliver/send-webhook.js";
import { embedder } from "#worker/language-model/choose-model.js";

/** What a run needs. */
export interface ResumeRun {
  readonly task: TaskContext<ResumePayload>;
  readonly settings: HandlerSettings;
  readonly ring: KeyRing;
  readonly checkpoints: CheckpointStore;
}

/** Its result, and what went wrong on the way without failing it. */
export interface ProcessedResume {
  readonly result: ResumeResult;
  readonly warnings: readonly Warning[];
}

const WEBHOOK_RETRIES = 3;
const webhookSchema = z.strictObject({ status: z.int() });

/** One attempt: stage by stage, those of an earlier attempt from their checkpoints. */
export async function processResume(run: ResumeRun): Promise<ProcessedResume> {
  const { task, settings, ring, checkpoints } = run;
  const { payload, signal } = task;
  const warnings: Warning[] = [];
  const path = resolve(payload.outputPath ?? `${ARTIFACT_DIRECTORY}/${task.taskId}.resume`);
  await refuseDirectory(path);
  const stages = new Stages(task, checkpoints);
  const document = await readResume(payload, { settings, stages, checkpoints, signal });
  const analysis = await stages.run("analysis", analysisSchema, () =>
    analyseResume(document.text, { ...payload, settings, signal }),
  );
  const { facts } = analysis;
  const redact = redactor(facts, payload.country);
  const chunks = await stages.run("chunks", z.array(resumeChunkSchema), () =>
    cutChunks(document.text, facts, settings),
  );
  const embeddings = payload.embeddings ? await embed(run, stages, chunks, redact, warnings) : null;
  const picture = await portfolioPicture(run, stages, warnings);
  const artifact = await write(path, { document, analysis, chunks, embeddings, picture }, run, stages);
  const result: ResumeResult = {
    ids: { taskId: task.taskId, documentSha256: document.sha256, person: personId(facts, ring) },
    document: {
      format: document.format,
      bytes: document.bytes,
      pages: document.pages,
      characters: document.text.length,
    },
    analysis: { provider: analysis.provider, model: analysis.model, usage: analysis.usage },
    masked: {
      name: facts.name === null ? null : maskName(facts.name),
      emails: facts.emails.map((email) => maskEmail(email, facts.name)),
      phones: facts.phones.map(maskPhone),
    },
    skills: facts.skills.map(redact),
    experience: facts.experience.map(({ company, title, period }) => ({
      company: company === null ? null : entryText(redact(company)),
      title: title === null ? null : entryText(redact(title)),
      period,
    })),
    chunks: countChunks(chunks),
    embeddings: embeddings === null ? null : embeddingFacts(embeddings),
    picture: picture === null ? null : { sha256: sha256Of(picture), bytes: picture.length },
    artifact,
    webhookStatus: null,
    resumedStages: [...stages.resumed],
    warnings: warnings.map(({ code = "", message }) => ({ code, message })),
  };
  const webhookStatus = await tellWebhook(run, stages, result, warnings);
  const told = warnings.map(({ code = "", message }) => ({ code, message }));
  return { result: { ...result, webhookStatus, resumedStages: [...stages.resumed], warnings: told }, warnings };
}

async function embed(
  { task, settings, checkpoints }: ResumeRun,
  stages: Stages,
  chunks: readonly ResumeChunk[],
  redact: Redactor,
  warnings: Warning[],
): Promise<ChunkEmbeddings> {
  stages.enter("embeddings");
  const texts: string[] = [];
  for (const { text } of chunks) {
    await nextTurn();
    task.signal.throwIfAborted();
    texts.push(redact(text));
  }
  const embeddings = await embedChunks(texts, {
    embedder: embedder(settings, { retries: 0, callTimeoutMs: settings.resumeEmbeddingTimeoutMs }),
    settings,
    checkpoints,
    signal: task.signal,
    onProgress: (done, total) => stages.enter("embeddings", done / total),
  });
  const { failed, failureCode, vectors } = embeddings;
  if (failed > 0) {
    const message = `${failed} of ${vectors.length} chunks have no embedding`;
    warnings.push({ code: "EMBEDDING_PARTIAL_FAILURE", message, details: { failed, lastCode: failureCode } });
  }
  return embeddings;
}

async function portfolioPicture(
  { task, settings }: ResumeRun,
  stages: Stages,
  warnings: Warning[],
): Promise<Buffer | null> {
  const { portfolioUrl } = task.payload;
  if (portfolioUrl === undefined) return null;
  const allowPrivate = settings.allowPrivateAddresses === "on";
  return partialFailure("VISUAL_AGENT_FAILURE", "the portfolio has no picture", { warnings, signal: task.signal }, () =>
    stages.runBytes("picture", () => takePicture(portfolioUrl, { settings, allowPrivate, signal: task.signal })),
  );
}

async function write(
  path: string,
  content: ResumeContent,
  { task, ring, checkpoints }: ResumeRun,
  stages: Stages,
): Promise<z.infer<typeof writtenSchema>> {
  const kept = await checkpoints.load("artifact", writtenSchema);
  // Another attempt may come to have what this one lacked.
  const isEmbedded = content.embeddings === null || content.embeddings.failed === 0;
  const isComplete = isEmbedded && (task.payload.portfolioUrl === undefined || content.picture !== null);
  if (kept !== undefined && (!isComplete || !(await isIntact(kept)))) await checkpoints.remove("artifact");
  return stages.run("artifact", writtenSchema, () => writeResume(path, content, { ring, writer: task }));
}

async function tellWebhook(
  { task, settings }: ResumeRun,
  stages: Stages,
  result: ResumeResult,
  warnings: Warning[],
): Promise<number | null> {
  const { webhook: url } = task.payload;
  if (url === undefined) return null;
  const { signal } = task;
  const body = { type: "resume.processed", timestamp: new Date().toISOString(), data: result };
  const sent = await partialFailure("WEBHOOK_FAILURE", "the webhook did not arrive", { warnings, signal }, () =>
    stages.run("webhook", webhookSchema, async () => {
      const webhook = { url, deliveryId: `${task.taskId}-resume`, body };
      const { status } = await tryAgain(() => sendWebhook(webhook, signal), {
        retries: WEBHOOK_RETRIES,
        delayMs: settings.resumeRetryDelayMs,
        signal,
      });
      return { status };
    }),
  );
  return sent?.status ?? null;
}

function countChunks(chunks: readonly ResumeChunk[]): ResumeResult["chunks"] {
  const count = (kind: ResumeChunk["kind"]) => chunks.filter((chunk) => chunk.kind === kind).length;
  return { structured: count("structured"), section: count("section"), fullText: count("full_text") };
}

function embeddingFacts(embeddings: ChunkEmbeddings): NonNullable<ResumeResult["embeddings"]> {
  const { provider, model, dimensions, vectors, failed, usage } = embeddings;
  return { provider, model, dimensions, count: vectors.length - failed, failed, usage };
}

function personId({ emails, phones, name }: ResumeFacts, ring: KeyRing): string | null {
  return ring.mark((emails[0] ?? phones[0] ?? name)?.toLowerCase() ?? null);
}

function sha256Of(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
