import { jsonText } from "#libs/define-task/json-text.js";
import { cutText } from "#libs/errors/error-message.js";
import type { LogLine, ProgressUpdate } from "#libs/define-task/task-context.js";
import { MAX_LOG_BYTES, MAX_OUTPUT_CHUNK_BYTES, MAX_PROGRESS_MESSAGE_CHARACTERS } from "#libs/tasks/limits.js";
import type { LogClaim, OutputClaim, ProgressClaim, SpeechLimits } from "#libs/attempts/speech-claims.js";

/** Takes what a handler says after it was cut to size. */
export interface SpeechSink {
  onProgress(claim: ProgressClaim): void;
  onLog(claim: LogClaim): void;
  onOutput(claim: OutputClaim): void;
}

const MAX_STREAM_NAME_CHARACTERS = 63;
const ELLIPSIS_BYTES = Buffer.byteLength("…");
/** Streams whose offsets are kept; output under further names joins the default stream. */
const MAX_STREAMS = 100;

/**
 * Everything one handler says, cut to the bounds: progress is rate-limited and the latest wins, lines and output are kept in full up
 * to their caps and the last one kept says so. Lives beside the handler, so that a flood never leaves the isolate.
 */
export class HandlerSpeech {
  readonly log: { readonly debug: LogLine; readonly info: LogLine; readonly warn: LogLine; readonly error: LogLine };
  readonly #limits: SpeechLimits;
  readonly #sink: SpeechSink;
  readonly #offsets = new Map<string, number>();
  #nextProgressAt = 0;
  #waitingProgress: ProgressClaim | undefined;
  #timer: NodeJS.Timeout | undefined;
  #logLines = 0;
  #logBytes = 0;
  #outputBytes = 0;
  #ended = false;

  constructor(limits: SpeechLimits, sink: SpeechSink) {
    this.#limits = limits;
    this.#sink = sink;
    const line =
      (level: number): LogLine =>
      (message, fields) => {
        this.#writeLog(level, message, fields);
      };
    this.log = { debug: line(1), info: line(2), warn: line(3), error: line(4) };
  }

  /** See `TaskContext.progress`. */
  progress(update: number | ProgressUpdate, message?: string): void {
    if (this.#ended) return;
    const claim = progressClaim(update, message);
    const now = performance.now();
    if (now >= this.#nextProgressAt) {
      this.#sendProgress(claim, now);
      return;
    }
    this.#waitingProgress = claim;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.#waitingProgress !== undefined) this.#sendProgress(this.#waitingProgress, performance.now());
    }, this.#nextProgressAt - now);
  }

  /** See `TaskContext.output`. */
  output(text: string, name = "output"): void {
    if (this.#ended || this.#outputBytes >= this.#limits.outputBytes) return;
    const short = cutText(String(name), MAX_STREAM_NAME_CHARACTERS) || "output";
    const stream = this.#offsets.has(short) || this.#offsets.size < MAX_STREAMS ? short : "output";
    const room = this.#limits.outputBytes - this.#outputBytes;
    const whole = Buffer.from(String(text));
    const capped = whole.length >= room;
    const bytes = capped ? wholeCharacters(whole, room) : whole;
    let position = 0;
    while (position < bytes.length) {
      const chunk = wholeCharacters(bytes.subarray(position), MAX_OUTPUT_CHUNK_BYTES);
      const offset = this.#offsets.get(stream) ?? 0;
      position += chunk.length;
      this.#offsets.set(stream, offset + chunk.length);
      this.#sink.onOutput({ name: stream, text: chunk.toString(), offset, capped: capped && position >= bytes.length });
    }
    this.#outputBytes += capped ? room : bytes.length;
  }

  /** Sends the progress that still waits; what is said afterwards is not heard. */
  end(): void {
    if (this.#ended) return;
    clearTimeout(this.#timer);
    if (this.#waitingProgress !== undefined) this.#sendProgress(this.#waitingProgress, 0);
    this.#ended = true;
  }

  #sendProgress(claim: ProgressClaim, now: number): void {
    this.#waitingProgress = undefined;
    this.#nextProgressAt = now + this.#limits.progressIntervalMs;
    this.#sink.onProgress(claim);
  }

  #writeLog(level: number, message: string, fields: Readonly<Record<string, unknown>> | undefined): void {
    if (this.#ended || this.#logLines >= this.#limits.logLines || this.#logBytes >= this.#limits.logBytes) return;
    const text = cutBytes(String(message), MAX_LOG_BYTES);
    const fieldsJson = fields === undefined ? "" : fieldsText(fields);
    this.#logLines += 1;
    this.#logBytes += Buffer.byteLength(text) + Buffer.byteLength(fieldsJson);
    const capped = this.#logLines >= this.#limits.logLines || this.#logBytes >= this.#limits.logBytes;
    this.#sink.onLog({ level, message: text, fieldsJson, capped });
  }
}

function progressClaim(update: number | ProgressUpdate, message: string | undefined): ProgressClaim {
  const parts: ProgressUpdate = typeof update === "number" ? { fraction: update } : update;
  const text = message ?? parts.message ?? "";
  return {
    fraction: parts.fraction === undefined ? undefined : Math.min(Math.max(finite(parts.fraction) ?? 0, 0), 1),
    current: units(parts.current),
    total: units(parts.total),
    message: cutText(String(text), MAX_PROGRESS_MESSAGE_CHARACTERS),
  };
}

function units(value: number | undefined): number | undefined {
  const known = value === undefined ? undefined : finite(value);
  return known === undefined ? undefined : Math.min(Math.max(Math.trunc(known), 0), Number.MAX_SAFE_INTEGER);
}

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}

function fieldsText(fields: Readonly<Record<string, unknown>>): string {
  try {
    const text = jsonText(fields) ?? "";
    return Buffer.byteLength(text) <= MAX_LOG_BYTES ? text : '{"omitted":"too large"}';
  } catch {
    return '{"omitted":"not JSON"}';
  }
}

/** A text that has at most so many bytes of UTF-8; a longer one ends with `…`. */
function cutBytes(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text.toWellFormed();
  return `${wholeCharacters(bytes, maxBytes - ELLIPSIS_BYTES).toString()}…`;
}

/** The longest beginning of UTF-8 bytes that fits and does not split a character. */
function wholeCharacters(bytes: Buffer, maxBytes: number): Buffer {
  if (bytes.length <= maxBytes) return bytes;
  let end = maxBytes;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end);
}
