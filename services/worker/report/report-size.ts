import type { AttemptError, Report } from "#libs/proto/gen/taskwire/bus/v1/report.js";
import { MAX_PROGRESS_MESSAGE_CHARACTERS } from "#libs/tasks/limits.js";

/** Field tags, lengths, ids and numbers of one report. */
const FRAME_BYTES = 128;

/** Bytes a report takes in a batch at most. Cheap and never too low. */
export function reportBytes(report: Report): number {
  const kind = report.kind;
  switch (kind?.$case) {
    case "progress":
      // A later one may take its place while it waits.
      return FRAME_BYTES + 3 * MAX_PROGRESS_MESSAGE_CHARACTERS;
    case "log":
      return FRAME_BYTES + textBytes(kind.value.message) + textBytes(kind.value.fieldsJson);
    case "output":
      return FRAME_BYTES + textBytes(kind.value.text) + textBytes(kind.value.name);
    case "succeeded":
      return kind.value.warnings.reduce(
        (sum, warning) => sum + errorBytes(warning),
        FRAME_BYTES + textBytes(kind.value.resultJson),
      );
    case "failed":
      return FRAME_BYTES + (kind.value.error === undefined ? 0 : errorBytes(kind.value.error));
    case "released":
      return FRAME_BYTES + textBytes(kind.value.reason);
    case "started":
      return [...kind.value.retryableCodes, ...kind.value.permanentCodes].reduce(
        (sum, code) => sum + 2 + textBytes(code),
        FRAME_BYTES,
      );
    default:
      return FRAME_BYTES;
  }
}

function errorBytes(error: AttemptError): number {
  return FRAME_BYTES + textBytes(error.message) + textBytes(error.detailsJson);
}

/** A UTF-16 unit takes at most three bytes of UTF-8; counting pays only where the text is long. */
function textBytes(text: string): number {
  return text.length < 256 ? text.length * 3 : Buffer.byteLength(text);
}
