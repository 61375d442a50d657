import type { handleServerStreamingCall } from "@grpc/grpc-js";
import type { Incoming, Outgoing, Surroundings } from "#libs/rpc/exchange.js";
import { MalformedRequest } from "#libs/rpc/malformed-request.js";
import { asTaskwireError } from "#libs/rpc/status.js";
import { StreamCall } from "#libs/rpc/stream-call.js";

/**
 * Answers one request with a stream. It may return while the stream goes on; the stream lasts until `call.end()`, `call.fail()` or
 * until the client goes. What it throws fails the stream.
 */
export type ServerStreamHandler<Request, Response> = (
  request: Request,
  call: StreamCall<Response>,
) => Promise<void> | void;

/** Makes grpc-js call a {@link ServerStreamHandler}; the stream counts as open until it is closed. */
export function adaptServerStream<Request, Response>(
  method: string,
  handler: ServerStreamHandler<Request, Response>,
  { logger, openStreams, onCallEnded }: Surroundings,
): handleServerStreamingCall<Incoming<Request>, Outgoing<Response>> {
  return (grpcCall) => {
    const call = new StreamCall<Response>(grpcCall, method);
    const startedAtMs = performance.now();
    call.onClosed(() => {
      onCallEnded(method, call.outcome, performance.now() - startedAtMs);
    });
    const { request } = grpcCall;
    if (request instanceof MalformedRequest) {
      call.fail(request.error);
      return;
    }
    openStreams.add(call);
    call.onClosed(() => openStreams.delete(call));
    const fail = (error: unknown) => call.fail(asTaskwireError(error, call, logger));
    try {
      const running = handler(request, call);
      if (running instanceof Promise) running.catch(fail);
    } catch (error) {
      fail(error);
    }
  };
}
