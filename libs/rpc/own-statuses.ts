import { status as Code, type Server } from "@grpc/grpc-js";
import { BaseServerInterceptingCall } from "@grpc/grpc-js/build/src/server-interceptors.js";
import { TaskwireError } from "#libs/errors/taskwire-error.js";
import { codeName, STATUS_DETAILS_KEY, toCallStatus } from "#libs/rpc/status.js";

type SentStatus = Parameters<BaseServerInterceptingCall["sendStatus"]>[0];

/** The method grpc-js looks handlers up with. It is private there, so nothing is taken for granted about it. */
const LOOKUP = "_retrieveHandler";

let enriching = false;

/**
 * Gives the statuses that grpc-js makes by itself (message too large, deadline passed, unsupported compression …) the details that
 * every Taskwire error carries. They do not pass through interceptors, and an interceptor for this alone costs a tenth of a unary
 * call; hence the method of the class is replaced, once per process.
 */
export function enrichOwnStatuses(): void {
  if (enriching) return;
  enriching = true;
  // eslint-disable-next-line @typescript-eslint/unbound-method -- it is called with the call as `this`
  const send = BaseServerInterceptingCall.prototype.sendStatus;
  BaseServerInterceptingCall.prototype.sendStatus = function (
    this: BaseServerInterceptingCall,
    status: SentStatus,
  ): void {
    send.call(this, status.code === Code.OK || carriesDetails(status) ? status : enriched(status));
  };
}

function carriesDetails(status: SentStatus): boolean {
  return (status.metadata?.get(STATUS_DETAILS_KEY).length ?? 0) > 0;
}

function enriched(status: SentStatus): SentStatus {
  const code = codeName(status.code);
  const tooLarge = code === "RESOURCE_EXHAUSTED" && status.details.includes("larger than");
  const reason = tooLarge ? "MESSAGE_TOO_LARGE" : code;
  return toCallStatus(new TaskwireError({ code, reason, message: status.details }));
}

/**
 * Makes calls of unknown methods end with UNIMPLEMENTED and the details that every Taskwire error carries; grpc-js answers them
 * before there is a call. Should the lookup disappear in a later version, they still end with UNIMPLEMENTED, without the details.
 */
export function answerUnknownMethods(server: Server): void {
  const lookUp: unknown = Reflect.get(server, LOOKUP);
  if (typeof lookUp !== "function") return;
  Reflect.set(server, LOOKUP, (path: string): unknown => {
    const handler: unknown = Reflect.apply(lookUp, server, [path]);
    return handler ?? unknownMethod(path);
  });
}

function unknownMethod(path: string): object {
  const error = new TaskwireError({
    code: "UNIMPLEMENTED",
    reason: "UNKNOWN_METHOD",
    message: `there is no method ${path}`,
    metadata: { method: path },
  });
  return {
    type: "bidi",
    path,
    func: (call: NodeJS.EventEmitter) => call.emit("error", toCallStatus(error)),
    serialize: () => Buffer.alloc(0),
    deserialize: (bytes: Buffer) => bytes,
  };
}
