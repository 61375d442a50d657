import { cutText, errorMessage } from "#libs/errors/error-message.js";
import { TaskwireError, type FieldViolation } from "#libs/errors/taskwire-error.js";
import { descriptorRegistry } from "#libs/rpc/descriptor-set.js";
import { inspectRequest } from "#libs/rpc/request-inspector.js";

/** Stands in for a request that cannot be decoded, so that the call is answered with INVALID_ARGUMENT. */
export class MalformedRequest {
  /** INVALID_ARGUMENT that names the fields where that is possible, else a single violation of the field ``. */
  readonly error: TaskwireError;
  /** Whether fields that cannot be decoded were found. */
  readonly hasNamedFields: boolean;

  /**
   * @param path - full method name, for example `/taskwire.v1.TaskService/CreateTask`
   * @param bytes - the request as it came
   * @param cause - why it cannot be decoded
   */
  constructor(path: string, bytes: Uint8Array, cause: unknown) {
    const violations = namedFields(path, bytes);
    this.hasNamedFields = violations.length > 0;
    const problem = cutText(`the request cannot be decoded: ${errorMessage(cause)}`, 200);
    this.error = new TaskwireError({
      code: "INVALID_ARGUMENT",
      reason: violations.length > 0 ? "INVALID_FIELDS" : "MALFORMED_MESSAGE",
      message:
        violations.length > 0
          ? violations.map(({ field, description }) => `${field} ${description}`).join("; ")
          : problem,
      violations: violations.length > 0 ? violations : [{ field: "", description: problem }],
    });
  }
}

function namedFields(path: string, bytes: Uint8Array): FieldViolation[] {
  const [, service = "", method = ""] = path.split("/");
  const message = descriptorRegistry()
    .getService(service)
    ?.methods.find(({ name }) => name === method)?.input;
  if (message === undefined) return [];
  try {
    return inspectRequest(bytes, message);
  } catch {
    return [];
  }
}
