import type { z } from "zod";
import type { TaskContext } from "#libs/define-task/define-task.js";
import type { CheckpointStore } from "#worker/handlers/resume-process/checkpoint-store.js";

/** The stages in their order, with the share that is done when each begins and what is said then. */
const STAGES = {
  file: [0, "obtaining the file"],
  text: [0.1, "extracting text"],
  analysis: [0.25, "analysing"],
  chunks: [0.45, "cutting chunks"],
  embeddings: [0.5, "embedding"],
  picture: [0.8, "taking a picture"],
  artifact: [0.9, "writing the artifact"],
  webhook: [0.95, "delivering the webhook"],
} as const satisfies Readonly<Record<string, readonly [number, string]>>;

/** One of them. */
export type Stage = keyof typeof STAGES;

/** Runs stages, tells the progress, and takes from checkpoints what an earlier attempt had finished. */
export class Stages {
  readonly #task: Pick<TaskContext, "progress" | "signal">;
  readonly #checkpoints: CheckpointStore;
  readonly #resumed: Stage[] = [];

  constructor(task: Pick<TaskContext, "progress" | "signal">, checkpoints: CheckpointStore) {
    this.#task = task;
    this.#checkpoints = checkpoints;
  }

  /** The stages that were taken from checkpoints. */
  get resumed(): readonly Stage[] {
    return this.#resumed;
  }

  /** Says that a stage begins, or how far it is: `share` of it in [0, 1]. Throws the signal's reason. */
  enter(stage: Stage, share = 0): void {
    this.#task.signal.throwIfAborted();
    const [start, message] = STAGES[stage];
    const next = Object.values(STAGES).find(([later]) => later > start)?.[0] ?? 1;
    this.#task.progress(Math.round((start + (next - start) * share) * 1000) / 1000, message);
  }

  /** What a stage gives: from its checkpoint, else from `work`, whose value is checkpointed. `first`: what is said to begin. */
  async run<T>(stage: Stage, schema: z.ZodType<T>, work: () => Promise<T> | T, first: Stage = stage): Promise<T> {
    this.enter(first);
    const kept = await this.#checkpoints.load(stage, schema);
    if (kept !== undefined) {
      this.#resumed.push(stage);
      return kept;
    }
    const value = await work();
    await this.#checkpoints.save(stage, value);
    return value;
  }

  /** As {@link run}, for bytes. */
  async runBytes(stage: Stage, work: () => Promise<Buffer>): Promise<Buffer> {
    this.enter(stage);
    const kept = await this.#checkpoints.loadBytes(stage);
    if (kept !== undefined) {
      this.#resumed.push(stage);
      return kept;
    }
    const bytes = await work();
    await this.#checkpoints.saveBytes(stage, bytes);
    return bytes;
  }
}
