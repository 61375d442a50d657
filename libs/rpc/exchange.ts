import type { Logger } from "#libs/log/logger.js";
import type { MalformedRequest } from "#libs/rpc/malformed-request.js";
import type { OpenStreams } from "#libs/rpc/open-streams.js";

/** A decoded request, or what stands in for one that cannot be decoded. */
export type Incoming<Request> = Request | MalformedRequest;

/** A response, or one that is already encoded (encode once, send to many). */
export type Outgoing<Response> = Response | Uint8Array;

/** What handlers of one server share. */
export interface Surroundings {
  readonly logger: Logger;
  readonly openStreams: OpenStreams;
}
