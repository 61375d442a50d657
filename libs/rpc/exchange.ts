import type { ErrorCode } from "#libs/errors/taskwire-error.js";
import type { Logger } from "#libs/log/logger.js";
import type { MalformedRequest } from "#libs/rpc/malformed-request.js";
import type { OpenStreams } from "#libs/rpc/open-streams.js";

/** A decoded request, or what stands in for one that cannot be decoded. */
export type Incoming<Request> = Request | MalformedRequest;

/** A response, or one that is already encoded (encode once, send to many). */
export type Outgoing<Response> = Response | Uint8Array;

/**
 * Hears of every call that has ended, for metrics: the full name of its method, how it ended, and how long it took in milliseconds (a
 * stream: how long it was open). Called on the way of every call, so it must be quick and must not throw.
 */
export type CallListener = (method: string, code: ErrorCode | "OK", durationMs: number) => void;

/** What handlers of one server share. */
export interface Surroundings {
  readonly logger: Logger;
  readonly openStreams: OpenStreams;
  readonly onCallEnded: CallListener;
}
