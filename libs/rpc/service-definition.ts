import type { ServiceDefinition, UntypedServiceImplementation } from "@grpc/grpc-js";
import type { Logger } from "#libs/log/logger.js";
import type { Incoming, Outgoing, Surroundings } from "#libs/rpc/exchange.js";
import { MalformedRequest } from "#libs/rpc/malformed-request.js";
import { asBuffer, decodeStrictly, encodeMessage, LOST_KEY, type MessageCodec } from "#libs/rpc/message-codec.js";
import { adaptServerStream, type ServerStreamHandler } from "#libs/rpc/server-stream-handler.js";
import { adaptUnary, type UnaryHandler } from "#libs/rpc/unary-handler.js";

/** A handler with the codecs of its messages; made by {@link unary} and {@link serverStream}. */
export interface MethodImplementation<Request, Response, Streams extends boolean> {
  readonly request: MessageCodec<Request>;
  readonly response: MessageCodec<Response>;
  readonly responseStream: Streams;
  readonly adapt: (method: string, surroundings: Surroundings) => UntypedServiceImplementation[string];
}

/** What this module needs of a method in generated code. */
interface GeneratedMethod {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
}

/** Generated code of a service, for example `TaskServiceService`. */
export type GeneratedService = Readonly<Record<string, GeneratedMethod>>;

type ImplementationOf<Method> = Method extends {
  readonly responseStream: infer Streams extends boolean;
  readonly requestSerialize: (request: infer Request) => Buffer;
  readonly responseSerialize: (response: infer Response) => Buffer;
}
  ? MethodImplementation<Request, Response, Streams>
  : never;

/** One implementation for each method of a generated service. */
export type ServiceImplementation<Service extends GeneratedService> = {
  readonly [Name in keyof Service]: ImplementationOf<Service[Name]>;
};

/** A method that answers once. */
export function unary<Request, Response>(
  request: MessageCodec<Request>,
  response: MessageCodec<Response>,
  handler: UnaryHandler<Request, Response>,
): MethodImplementation<Request, Response, false> {
  const adapt = (method: string, surroundings: Surroundings) => adaptUnary(method, handler, surroundings);
  return { request, response, responseStream: false, adapt };
}

/** A method that answers with a stream. */
export function serverStream<Request, Response>(
  request: MessageCodec<Request>,
  response: MessageCodec<Response>,
  handler: ServerStreamHandler<Request, Response>,
): MethodImplementation<Request, Response, true> {
  const adapt = (method: string, surroundings: Surroundings) => adaptServerStream(method, handler, surroundings);
  return { request, response, responseStream: true, adapt };
}

/**
 * What grpc-js needs to serve a service: requests are decoded strictly, so that bad bytes end as INVALID_ARGUMENT with the fields
 * named, and responses may come encoded.
 */
export function bindService<Service extends GeneratedService>(
  service: Service,
  implementation: ServiceImplementation<Service>,
  surroundings: Surroundings,
): { definition: ServiceDefinition; handlers: UntypedServiceImplementation } {
  const definition: Record<string, ServiceDefinition[string]> = {};
  const handlers: UntypedServiceImplementation = {};
  for (const [name, { path, requestStream, responseStream }] of Object.entries(service)) {
    const method: MethodImplementation<unknown, unknown, boolean> | undefined = implementation[name];
    if (method === undefined) throw new Error(`nothing implements ${path}`);
    definition[name] = {
      path,
      requestStream,
      responseStream,
      requestSerialize: (message: unknown) => encodeMessage(method.request, message),
      requestDeserialize: (bytes) => decodeRequest(path, method.request, bytes),
      responseSerialize: (message: unknown) => encodeResponse(path, method.response, message, surroundings.logger),
      responseDeserialize: (bytes) => method.response.decode(bytes),
    };
    handlers[name] = method.adapt(path, surroundings);
  }
  return { definition, handlers };
}

const lostKey = Buffer.from(LOST_KEY);

function decodeRequest<Request>(path: string, codec: MessageCodec<Request>, bytes: Buffer): Incoming<Request> {
  try {
    const message = decodeStrictly(codec, bytes);
    if (!bytes.includes(lostKey)) return message;
    // As a value the text is harmless; as a key it is not in `message` any more, and the client must learn that.
    const refusal = new MalformedRequest(path, bytes, new Error("a key cannot be carried"));
    return refusal.hasNamedFields ? refusal : message;
  } catch (error) {
    return new MalformedRequest(path, bytes, error);
  }
}

function encodeResponse<Response>(
  path: string,
  codec: MessageCodec<Response>,
  message: Outgoing<Response>,
  logger: Logger,
): Buffer {
  if (message instanceof Uint8Array) return asBuffer(message);
  try {
    return encodeMessage(codec, message);
  } catch (error) {
    logger.error({ err: error, method: path }, "response cannot be encoded");
    throw error;
  }
}
