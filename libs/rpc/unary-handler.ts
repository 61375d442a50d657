import type { handleUnaryCall } from "@grpc/grpc-js";
import { CallContext } from "#libs/rpc/call-context.js";
import type { Incoming, Outgoing, Surroundings } from "#libs/rpc/exchange.js";
import { MalformedRequest } from "#libs/rpc/malformed-request.js";
import { asTaskwireError, toCallStatus } from "#libs/rpc/status.js";

/** Answers one request, with a message or with one that is already encoded. What it throws ends the call. */
export type UnaryHandler<Request, Response> = (
  request: Request,
  context: CallContext,
) => Promise<Outgoing<Response>> | Outgoing<Response>;

/** Makes grpc-js call a {@link UnaryHandler}: awaited, answered exactly once, with mapped errors. */
export function adaptUnary<Request, Response>(
  method: string,
  handler: UnaryHandler<Request, Response>,
  { logger, onCallEnded }: Surroundings,
): handleUnaryCall<Incoming<Request>, Outgoing<Response>> {
  return (call, callback) => {
    const { request } = call;
    const startedAtMs = performance.now();
    if (request instanceof MalformedRequest) {
      onCallEnded(method, request.error.code, 0);
      callback(toCallStatus(request.error));
      return;
    }
    const context = new CallContext(call, method);
    const succeed = (response: Outgoing<Response>) => {
      context.finish();
      onCallEnded(method, "OK", performance.now() - startedAtMs);
      callback(null, response);
    };
    const fail = (error: unknown) => {
      context.finish();
      const failure = asTaskwireError(error, context, logger);
      onCallEnded(method, failure.code, performance.now() - startedAtMs);
      callback(toCallStatus(failure));
    };
    try {
      const response = handler(request, context);
      if (response instanceof Promise) response.then(succeed, fail);
      else succeed(response);
    } catch (error) {
      fail(error);
    }
  };
}
