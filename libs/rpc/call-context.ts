import { randomBytes } from "node:crypto";
import type { ServerUnaryCall } from "@grpc/grpc-js";
import { TaskwireError } from "#libs/errors/taskwire-error.js";

const processPrefix = randomBytes(4).toString("hex");
let calls = 0;

/** What every kind of call has in grpc-js. */
type SurfaceCall = Pick<
  ServerUnaryCall<unknown, unknown>,
  "cancelled" | "metadata" | "getPeer" | "getDeadline" | "once"
>;

/** What a handler may know about the call it answers. */
export class CallContext {
  /** Full method name, for example `/taskwire.v1.TaskService/GetTask`. */
  readonly method: string;
  readonly #call: SurfaceCall;
  readonly #number = ++calls;
  #abort: AbortController | undefined;
  #finished = false;

  constructor(call: SurfaceCall, method: string) {
    this.#call = call;
    this.method = method;
  }

  /** Names the call in logs and in INTERNAL errors; unique among all processes. */
  get callId(): string {
    return `${processPrefix}-${this.#number}`;
  }

  /** When the client gives up, in milliseconds since 1970; Infinity without a deadline. */
  get deadlineMs(): number {
    return Number(this.#call.getDeadline());
  }

  /** Address and port of the client, `unknown` on a Unix socket. */
  get peer(): string {
    return this.#call.getPeer();
  }

  /** The first value of a metadata key that is text, or undefined. */
  metadata(key: string): string | undefined {
    const [value] = this.#call.metadata.get(key);
    return typeof value === "string" ? value : undefined;
  }

  /** Fires when the client cancels, goes away, or its deadline passes before the call is answered. Created on first use. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#call.cancelled) this.#fire();
      else this.#call.once("cancelled", () => this.#fire());
    }
    return this.#abort.signal;
  }

  /** Says that the call was answered; grpc-js reports every end as a cancel, and only one before the answer is one. */
  finish(): void {
    this.#finished = true;
  }

  #fire(): void {
    if (this.#finished) return;
    const late = Date.now() >= this.deadlineMs;
    this.#abort?.abort(
      late
        ? new TaskwireError({
            code: "DEADLINE_EXCEEDED",
            reason: "DEADLINE_EXCEEDED",
            message: "the deadline has passed",
          })
        : new TaskwireError({ code: "CANCELLED", reason: "CALL_CANCELLED", message: "the client cancelled the call" }),
    );
  }
}
