import { createHash } from "node:crypto";
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { z } from "zod";
import type { KeyRing } from "#libs/sealing/key-ring.js";
import { writeArtifact, type ArtifactWriter } from "#worker/handlers/report-generate/write-artifact.js";

/** What the checkpoints of a task depend on. */
export interface CheckpointOptions {
  /** Gets a folder per task, with a file per finished stage. */
  readonly directory: string;
  readonly ring: KeyRing;
  /** What the task was asked; with another payload or another version of the code its checkpoints do not open. */
  readonly input: unknown;
  readonly writer: ArtifactWriter;
}

/** Part of what checkpoints are sealed for: goes up when a stage means something else. */
const VERSION = 1;
const FOLDER = /^[0-9a-f-]{36}$/;
/** Folders looked at in one sweep. */
const MAX_SWEPT = 10_000;
const DAY_MS = 86_400_000;

/**
 * What finished stages of a task gave, on disk, sealed and each written whole or not at all. Whatever cannot be read, opened or understood
 * counts as lost, and its stage runs again.
 */
export class CheckpointStore {
  readonly #options: CheckpointOptions;
  readonly #folder: string;
  readonly #inputHash: string;

  constructor(options: CheckpointOptions) {
    this.#options = options;
    this.#folder = resolve(options.directory, options.writer.taskId);
    this.#inputHash = createHash("sha256")
      .update(JSON.stringify([VERSION, options.input]))
      .digest("hex");
  }

  /** What a stage gave; undefined: it did not finish, or its checkpoint is lost. */
  async load<T>(stage: string, schema: z.ZodType<T>): Promise<T | undefined> {
    const bytes = await this.loadBytes(stage);
    if (bytes === undefined) return undefined;
    try {
      return schema.safeParse(JSON.parse(bytes.toString())).data;
    } catch {
      return undefined;
    }
  }

  /** As {@link load}, for bytes. */
  async loadBytes(stage: string): Promise<Buffer | undefined> {
    try {
      const sealed = await readFile(this.#path(stage));
      const plain = this.#options.ring.open(sealed, this.#context(stage));
      // What is not sealed comes back as it is; nothing of ours is.
      return plain === sealed ? undefined : Buffer.from(plain);
    } catch {
      return undefined;
    }
  }

  /** Keeps what a stage gave. Throws as `writeArtifact` does. */
  async save(stage: string, value: unknown): Promise<void> {
    await this.saveBytes(stage, Buffer.from(JSON.stringify(value)));
  }

  /** As {@link save}, for bytes. */
  async saveBytes(stage: string, bytes: Uint8Array): Promise<void> {
    const sealed = this.#options.ring.seal(bytes, this.#context(stage));
    await writeArtifact(this.#path(stage), sealed, this.#options.writer);
  }

  /** Forgets one stage, or all of the task. */
  async remove(stage?: string): Promise<void> {
    await rm(stage === undefined ? this.#folder : this.#path(stage), { recursive: true, force: true });
  }

  #path(stage: string): string {
    return join(this.#folder, `${stage}.sealed`);
  }

  #context(stage: string): string {
    return `resume checkpoint:${this.#options.writer.taskId}:${this.#inputHash}:${stage}`;
  }
}

/** Removes the checkpoints of tasks whose last stage finished more than `days` days ago. Never throws: it is tried again by the next run. */
export async function removeStaleCheckpoints(directory: string, days: number, nowMs = Date.now()): Promise<void> {
  const root = resolve(directory);
  const names = await readdir(root).catch(() => []);
  for (const name of names.filter((entry) => FOLDER.test(entry)).slice(0, MAX_SWEPT)) {
    const folder = join(root, name);
    const found = await stat(folder).catch(() => undefined);
    if (found === undefined || nowMs - found.mtimeMs < days * DAY_MS) continue;
    await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}
