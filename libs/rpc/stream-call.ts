import type { ServerWritableStream } from "@grpc/grpc-js";
import { Metadata } from "@grpc/grpc-js";
import type { ErrorCode, TaskwireError } from "#libs/errors/taskwire-error.js";
import { CallContext } from "#libs/rpc/call-context.js";
import type { Incoming, Outgoing } from "#libs/rpc/exchange.js";
import { toCallStatus } from "#libs/rpc/status.js";

type Listener = () => void;

/** A stream is full when so much waits for the client to read, or so many frames do. */
const MAX_WAITING_BYTES = 64 * 1024;
const MAX_WAITING_FRAMES = 16;

/**
 * The server's end of one stream of answers. At most 64 KiB, one frame more and 16 frames wait for a client that does not read, beside the 64 KiB
 * that HTTP/2 lets go ahead: once {@link write} says false, wait for {@link onDrain} before writing more.
 */
export class StreamCall<Response> extends CallContext {
  readonly #call: ServerWritableStream<Incoming<unknown>, Outgoing<Response>>;
  #ending = false;
  #outcome: ErrorCode | "OK" = "CANCELLED";
  #closed = false;
  #waitingFrames = 0;
  #waitingBytes = 0;
  #isFull = false;
  #drain: Listener | undefined;
  #closeListeners: Listener[] = [];

  constructor(call: ServerWritableStream<Incoming<unknown>, Outgoing<Response>>, method: string) {
    super(call, method);
    this.#call = call;
    call.once("cancelled", () => this.#close());
  }

  /** Whether {@link end} or {@link fail} was called or the client has gone; nothing can be written any more. */
  get ended(): boolean {
    return this.#ending || this.#closed;
  }

  /** How the stream has ended; CANCELLED: the client went before that, or it is still open. */
  get outcome(): ErrorCode | "OK" {
    return this.#outcome;
  }

  /** How many frames wait for the client to read. */
  get buffered(): number {
    return this.#waitingFrames;
  }

  /**
   * Sends a message, or one that is already encoded.
   *
   * @returns false when the client should be given time: go on after {@link onDrain}; also false, with nothing sent, when the
   * stream has ended
   */
  write(message: Outgoing<Response>): boolean {
    if (this.ended) return false;
    const bytes = message instanceof Uint8Array ? message.length : 0;
    this.#waitingFrames += 1;
    this.#waitingBytes += bytes;
    this.#call.write(message, () => {
      this.#onTaken(bytes);
    });
    this.#isFull = this.#waitingBytes >= MAX_WAITING_BYTES || this.#waitingFrames >= MAX_WAITING_FRAMES;
    return !this.#isFull;
  }

  /** Sets the one listener that hears when there is room again. It never hears anything after the stream has ended. */
  onDrain(listener: Listener): void {
    this.#drain = listener;
  }

  /** Adds a listener that hears once when the stream is over, whoever ended it; at once when it is over already. */
  onClosed(listener: Listener): void {
    if (this.#closed) listener();
    else this.#closeListeners.push(listener);
  }

  /** Sends the headers without waiting for the first message, so that the client knows that the call was accepted. */
  sendHeaders(): void {
    if (!this.ended) this.#call.sendMetadata(new Metadata());
  }

  /** Ends the stream with OK after what was written. */
  end(): void {
    if (this.ended) return;
    this.#ending = true;
    this.#outcome = "OK";
    this.finish();
    this.#call.end();
  }

  /** Ends the stream with an error after what was written. */
  fail(error: TaskwireError): void {
    if (this.ended) return;
    this.#ending = true;
    this.#outcome = error.code;
    this.finish();
    this.#call.emit("error", toCallStatus(error));
  }

  /** HTTP/2 has taken a frame. */
  #onTaken(bytes: number): void {
    this.#waitingFrames -= 1;
    this.#waitingBytes -= bytes;
    const hasRoom = this.#waitingBytes <= MAX_WAITING_BYTES / 2 && this.#waitingFrames <= MAX_WAITING_FRAMES / 2;
    if (!this.#isFull || !hasRoom || this.ended) return;
    this.#isFull = false;
    this.#drain?.();
  }

  #close(): void {
    this.#closed = true;
    this.#drain = undefined;
    const listeners = this.#closeListeners;
    this.#closeListeners = [];
    for (const listener of listeners) listener();
  }
}
