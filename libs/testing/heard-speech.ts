import type { SpeechSink } from "#libs/attempts/handler-speech.js";
import type { LogClaim, OutputClaim, ProgressClaim } from "#libs/attempts/speech-claims.js";
import type { ProgressUpdate } from "#libs/define-task/task-context.js";
import { jsonObject } from "#libs/testing/json-object.js";

const LEVELS = ["debug", "info", "warn", "error"] as const;

/** One line a handler logged, as a watcher gets it. */
export interface HeardLine {
  readonly level: (typeof LEVELS)[number];
  readonly message: string;
  /** As JSON says them; `{}`: none. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Number of the attempt. */
  readonly attempt: number;
}

/** Hears a handler while it runs. */
export interface SpeechListener {
  onProgress?(progress: ProgressUpdate): void;
  onLog?(line: HeardLine): void;
  onOutput?(text: string, name: string): void;
}

/** Everything the attempts of a task said, cut to the bounds that a worker sets. */
export class HeardSpeech implements SpeechSink {
  readonly progress: ProgressUpdate[] = [];
  readonly logs: HeardLine[] = [];
  readonly outputs = new Map<string, string>();
  readonly #listener: SpeechListener;
  readonly #attempt: () => number;

  /** `attempt` tells which one runs. */
  constructor(listener: SpeechListener, attempt: () => number) {
    this.#listener = listener;
    this.#attempt = attempt;
  }

  onProgress({ fraction, current, total, message }: ProgressClaim): void {
    const progress: ProgressUpdate = {
      ...(fraction === undefined ? {} : { fraction }),
      ...(current === undefined ? {} : { current }),
      ...(total === undefined ? {} : { total }),
      ...(message === "" ? {} : { message }),
    };
    this.progress.push(progress);
    this.#listener.onProgress?.(progress);
  }

  onLog({ level, message, fieldsJson }: LogClaim): void {
    const fields = fieldsJson === "" ? {} : jsonObject(fieldsJson);
    const line = { level: LEVELS[level - 1] ?? "info", message, fields, attempt: this.#attempt() };
    this.logs.push(line);
    this.#listener.onLog?.(line);
  }

  onOutput({ name, text }: OutputClaim): void {
    this.outputs.set(name, (this.outputs.get(name) ?? "") + text);
    this.#listener.onOutput?.(text, name);
  }
}
