import { ScalarType, type DescField, type DescMessage } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { cutText } from "#libs/errors/error-message.js";
import type { FieldViolation } from "#libs/errors/taskwire-error.js";
import { decodeStrictText, LOST_KEY } from "#libs/rpc/message-codec.js";

/** Generated code gives up at this many nested messages. */
const MAX_NESTED_MESSAGES = 100;
const MAX_KEY_CHARACTERS = 40;
const JSON_MESSAGES = new Set(["google.protobuf.Struct", "google.protobuf.Value", "google.protobuf.ListValue"]);
const LONGS = new Set([ScalarType.INT64, ScalarType.UINT64, ScalarType.SINT64]);

/** Where the inspection stands: the path so far, and the path of the JSON field it is in, if any. */
interface Place {
  readonly path: string;
  readonly json: string | undefined;
  readonly depth: number;
}

/**
 * Names every field of an encoded message that generated code refuses or loses: text that is not UTF-8, whole numbers beyond 2^53,
 * JSON nested too deeply, and map entries whose key is `__proto__`.
 *
 * @param bytes - the encoded message
 * @param message - its descriptor
 * @throws Error when the bytes are no message at all
 */
export function inspectRequest(bytes: Uint8Array, message: DescMessage): FieldViolation[] {
  const found: FieldViolation[] = [];
  inspectMessage(bytes, message, { path: "", json: undefined, depth: 0 }, found);
  return found;
}

function inspectMessage(bytes: Uint8Array, message: DescMessage, place: Place, found: FieldViolation[]): void {
  if (place.depth >= MAX_NESTED_MESSAGES) {
    const field = place.json ?? place.path;
    if (found.every((violation) => violation.field !== field))
      found.push({ field, description: "is nested too deeply" });
    return;
  }
  const reader = new BinaryReader(bytes);
  const counts = new Map<number, number>();
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    const field = message.fields.find((candidate) => candidate.number === number);
    if (field === undefined) {
      reader.skip(wireType, number);
      continue;
    }
    const index = counts.get(number) ?? 0;
    counts.set(number, index + 1);
    const path = fieldPath(message, field, place, index);
    if (wireType === WireType.LengthDelimited) {
      inspectField(reader.bytes(), field, { ...place, path }, found);
    } else if (wireType === WireType.Varint && field.fieldKind === "scalar" && LONGS.has(field.scalar)) {
      inspectLong(reader, path, found);
    } else {
      reader.skip(wireType, number);
    }
  }
}

function inspectField(bytes: Uint8Array, field: DescField, place: Place, found: FieldViolation[]): void {
  if (field.fieldKind === "map") {
    inspectMapEntry(bytes, field, place, found);
    return;
  }
  if (field.message !== undefined) {
    inspectMessage(bytes, field.message, within(field.message, place), found);
  } else if (field.scalar === ScalarType.STRING) {
    inspectText(bytes, place.path, found);
  }
}

function inspectMapEntry(
  bytes: Uint8Array,
  field: DescField & { fieldKind: "map" },
  place: Place,
  found: FieldViolation[],
): void {
  const reader = new BinaryReader(bytes);
  let path = `${place.path}[""]`;
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (wireType !== WireType.LengthDelimited) {
      reader.skip(wireType, number);
      continue;
    }
    const content = reader.bytes();
    if (number === 1) {
      path = `${place.path}[${JSON.stringify(cutText(Buffer.from(content).toString("utf8"), MAX_KEY_CHARACTERS))}]`;
      inspectText(content, path, found);
      if (Buffer.from(content).toString("utf8") === LOST_KEY)
        found.push({ field: path, description: "must have another key" });
    } else if (field.message !== undefined) {
      inspectMessage(content, field.message, { ...within(field.message, place), path, depth: place.depth + 2 }, found);
    } else if (field.scalar === ScalarType.STRING) {
      inspectText(content, path, found);
    }
  }
}

function inspectText(bytes: Uint8Array, path: string, found: FieldViolation[]): void {
  try {
    decodeStrictText(bytes);
  } catch {
    found.push({ field: path, description: "must be valid UTF-8" });
  }
}

function inspectLong(reader: BinaryReader, path: string, found: FieldViolation[]): void {
  const value = BigInt(reader.int64());
  if (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER) {
    found.push({ field: path, description: "must be between -(2^53 - 1) and 2^53 - 1" });
  }
}

function within(message: DescMessage, place: Place): Place {
  const json = JSON_MESSAGES.has(message.typeName) ? (place.json ?? place.path) : undefined;
  return { path: place.path, json, depth: place.depth + 1 };
}

/** A path in proto names; inside JSON the names of google.protobuf.Struct and Value are left out. */
function fieldPath(message: DescMessage, field: DescField, place: Place, index: number): string {
  if (JSON_MESSAGES.has(message.typeName)) return field.fieldKind === "list" ? `${place.path}[${index}]` : place.path;
  const path = place.path === "" ? field.name : `${place.path}.${field.name}`;
  return field.fieldKind === "list" ? `${path}[${index}]` : path;
}
