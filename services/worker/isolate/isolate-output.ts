import type { Readable } from "node:stream";
import type { Logger } from "#libs/log/logger.js";

const TAIL_BYTES = 2048;
const LOG_BYTES_PER_MINUTE = 64 * 1024;
const LOG_CHUNK_CHARACTERS = 4096;

/** What an isolate writes to stdout and stderr: read always, so that it never blocks; logged at debug up to 64 KiB a minute. */
export class IsolateOutput {
  readonly #logger: Logger;
  #tail = "";
  #minute = 0;
  #logged = 0;

  constructor(logger: Logger, streams: { stdout: Readable | null; stderr: Readable | null }) {
    this.#logger = logger;
    this.#read(streams.stdout, "stdout");
    this.#read(streams.stderr, "stderr");
  }

  /** The end of stderr, at most 2 KiB. */
  get stderrTail(): string {
    return this.#tail.trim();
  }

  #read(stream: Readable | null, name: "stdout" | "stderr"): void {
    stream?.setEncoding("utf8");
    stream?.on("data", (chunk: string) => {
      if (name === "stderr") this.#tail = `${this.#tail}${chunk.slice(-TAIL_BYTES)}`.slice(-TAIL_BYTES);
      if (this.#logger.isLevelEnabled("debug")) this.#log(name, chunk);
    });
    stream?.on("error", () => undefined);
  }

  #log(stream: string, chunk: string): void {
    const minute = Math.floor(performance.now() / 60_000);
    if (minute !== this.#minute) this.#logged = 0;
    this.#minute = minute;
    if (this.#logged >= LOG_BYTES_PER_MINUTE) return;
    this.#logged += chunk.length;
    this.#logger.debug({ stream, text: chunk.slice(0, LOG_CHUNK_CHARACTERS) }, "isolate wrote");
  }
}
