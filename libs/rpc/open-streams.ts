import type { TaskwireError } from "#libs/errors/taskwire-error.js";

/** A stream that shutdown can end. */
interface EndableStream {
  fail(error: TaskwireError): void;
}

/** The server streams that are open. */
export class OpenStreams {
  readonly #streams = new Set<EndableStream>();
  #failure: TaskwireError | undefined;

  get size(): number {
    return this.#streams.size;
  }

  add(stream: EndableStream): void {
    if (this.#failure === undefined) this.#streams.add(stream);
    else stream.fail(this.#failure);
  }

  delete(stream: EndableStream): void {
    this.#streams.delete(stream);
  }

  /** Fails all streams, and those that still come. */
  failAll(error: TaskwireError): void {
    this.#failure = error;
    for (const stream of this.#streams) stream.fail(error);
  }
}
