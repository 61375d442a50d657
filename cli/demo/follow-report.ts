import { performance } from "node:perf_hooks";
import { z } from "zod";
import { TaskFailedError, type TaskEvent, type TaskwireClient } from "#libs/client/taskwire-client.js";
import type { DemoDocument } from "#cli/demo/collect-documents.js";
import type { ProgressView } from "#cli/demo/progress-view.js";

/** What the report is to be. */
export interface ReportRequest {
  readonly topic: string;
  readonly documents: readonly DemoDocument[];
  /** Absolute. */
  readonly outputPath: string;
}

const RESULT = z.object({ path: z.string(), sha256: z.string(), bytes: z.number(), documents: z.number() });

/** How it went. */
export type ReportOutcome = { readonly elapsedMs: number } & (
  ({ readonly ok: true } & Readonly<z.infer<typeof RESULT>>) | { readonly ok: false; readonly reason: string }
);

/** Creates a `report.generate` task and shows how it goes from stage to stage. Rejects with the signal's reason when it fires. */
export async function followReport(
  client: TaskwireClient,
  request: ReportRequest,
  view: ProgressView,
  signal: AbortSignal,
): Promise<ReportOutcome> {
  const startMs = performance.now();
  const elapsedMs = () => performance.now() - startMs;
  const { topic, documents, outputPath } = request;
  let total = documents.length;
  const show = (done: number, message: string) => {
    const running = message === "" ? [] : [{ title: message, fraction: done / total, message: "" }];
    view.show({ label: "report.generate", done, total, failed: 0, elapsedMs: elapsedMs(), running });
  };
  show(0, "");
  try {
    const onEvent = ({ kind }: TaskEvent) => {
      if (kind?.$case === "progress") {
        total = kind.value.total ?? total;
        show(kind.value.current ?? 0, kind.value.message);
      }
      if (kind?.$case === "completed") show(total, "");
    };
    const payload = { topic, documents: documents.map(({ path, title }) => ({ path, title })), outputPath };
    const result = RESULT.parse(await client.run("report.generate", payload, { signal, onEvent }));
    return { ok: true, elapsedMs: elapsedMs(), ...result };
  } catch (error) {
    if (!(error instanceof TaskFailedError)) throw error;
    return { ok: false, elapsedMs: elapsedMs(), reason: error.message };
  } finally {
    view.end();
  }
}
