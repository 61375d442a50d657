import { status as Code, type handleBidiStreamingCall, type ServerDuplexStream } from "@grpc/grpc-js";
import { TaskwireError } from "#libs/errors/taskwire-error.js";
import {
  ServerReflectionRequest,
  ServerReflectionResponse,
  ServerReflectionService,
} from "#libs/proto/gen/grpc/reflection/v1/reflection.js";
import { ServerReflectionService as ServerReflectionServiceV1Alpha } from "#libs/proto/gen/grpc/reflection/v1alpha/reflection.js";
import { DescriptorIndex } from "#libs/rpc/descriptor-index.js";
import { descriptorSetBytes } from "#libs/rpc/descriptor-set.js";
import type { GrpcServer } from "#libs/rpc/grpc-server.js";
import { decodeStrictly, encodeMessage } from "#libs/rpc/message-codec.js";
import { toCallStatus } from "#libs/rpc/status.js";

type Answer = NonNullable<ServerReflectionResponse["messageResponse"]>;
type Stream = ServerDuplexStream<ServerReflectionRequest | undefined, ServerReflectionResponse>;

/**
 * Serves grpc.reflection.v1 and v1alpha, whose messages are the same on the wire. Answers are the true descriptors, as compiled:
 * with maps, optional fields, imports, options and comments.
 *
 * @param services - full names to list; default: all that are described
 */
export function addReflection(server: GrpcServer, services?: readonly string[]): void {
  const index = new DescriptorIndex(descriptorSetBytes());
  const listed = services ?? index.services;
  const open = new Set<Stream>();
  const handler: handleBidiStreamingCall<ServerReflectionRequest | undefined, ServerReflectionResponse> = (stream) => {
    open.add(stream);
    stream.once("cancelled", () => open.delete(stream));
    stream.on("data", (request: ServerReflectionRequest | undefined) => answerOrFail(stream, request, index, listed));
    stream.on("end", () => stream.end());
  };
  server.onStopping(() => {
    for (const stream of open) stream.end();
  });
  for (const { serverReflectionInfo } of [ServerReflectionService, ServerReflectionServiceV1Alpha]) {
    const method = { ...serverReflectionInfo, ...reflectionCodec };
    server.addRawService({ serverReflectionInfo: method }, { serverReflectionInfo: handler });
  }
}

const reflectionCodec = {
  requestSerialize: (request: ServerReflectionRequest) => encodeMessage(ServerReflectionRequest, request),
  requestDeserialize: (bytes: Buffer) => decodeOrMark(bytes),
  responseSerialize: (response: ServerReflectionResponse) => encodeMessage(ServerReflectionResponse, response),
  responseDeserialize: (bytes: Buffer) => ServerReflectionResponse.decode(bytes),
};

/** Undecodable bytes become a request that asks for nothing. */
function decodeOrMark(bytes: Buffer): ServerReflectionRequest {
  try {
    return decodeStrictly(ServerReflectionRequest, bytes);
  } catch {
    return { host: "", messageRequest: undefined };
  }
}

function answerOrFail(
  stream: Stream,
  request: ServerReflectionRequest | undefined,
  index: DescriptorIndex,
  services: readonly string[],
): void {
  if (request?.messageRequest === undefined) {
    const error = new TaskwireError({
      code: "INVALID_ARGUMENT",
      reason: "MALFORMED_MESSAGE",
      message: "the request cannot be decoded, or asks for nothing",
      violations: [{ field: "message_request", description: "must be set" }],
    });
    stream.emit("error", toCallStatus(error));
    return;
  }
  const messageResponse = answer(request.messageRequest, index, services);
  stream.write({ validHost: request.host, originalRequest: request, messageResponse });
}

function answer(
  question: NonNullable<ServerReflectionRequest["messageRequest"]>,
  index: DescriptorIndex,
  services: readonly string[],
): Answer {
  switch (question.$case) {
    case "fileByFilename":
      return files(index.filesByName(question.value), `file ${question.value}`);
    case "fileContainingSymbol":
      return files(index.filesBySymbol(question.value), `symbol ${question.value}`);
    case "fileContainingExtension": {
      const { containingType, extensionNumber } = question.value;
      const found = index.filesByExtension(containingType, extensionNumber);
      return files(found, `extension ${extensionNumber} of ${containingType}`);
    }
    case "allExtensionNumbersOfType": {
      const extensionNumber = index.extensionNumbers(question.value);
      if (extensionNumber === undefined) return notFound(`message ${question.value}`);
      return { $case: "allExtensionNumbersResponse", value: { baseTypeName: question.value, extensionNumber } };
    }
    case "listServices":
      return { $case: "listServicesResponse", value: { service: services.map((name) => ({ name })) } };
  }
}

function files(fileDescriptorProto: Buffer[] | undefined, what: string): Answer {
  if (fileDescriptorProto === undefined) return notFound(what);
  return { $case: "fileDescriptorResponse", value: { fileDescriptorProto } };
}

function notFound(what: string): Answer {
  return { $case: "errorResponse", value: { errorCode: Code.NOT_FOUND, errorMessage: `there is no ${what}` } };
}
