import { MAX_JSON_BYTES, MAX_JSON_DEPTH } from "#libs/tasks/limits.js";

/** Nesting of a JSON value: 0 for a scalar, 1 for a flat object or array. Stops counting just beyond `limit`. */
export function jsonDepth(value: unknown, limit: number = MAX_JSON_DEPTH): number {
  if (typeof value !== "object" || value === null) return 0;
  if (limit <= 0) return 1;
  let deepest = 0;
  for (const item of Array.isArray(value) ? value : Object.values(value)) {
    const depth = jsonDepth(item, limit - 1);
    if (depth > deepest) deepest = depth;
  }
  return deepest + 1;
}

/** What is wrong with a value as payload or result, or undefined. `text` is its JSON form. */
export function jsonProblem(value: unknown, text: string): string | undefined {
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_JSON_BYTES) return `has ${bytes} bytes as JSON; at most ${MAX_JSON_BYTES} are allowed`;
  if (jsonDepth(value) > MAX_JSON_DEPTH) return `is nested deeper than ${MAX_JSON_DEPTH} levels`;
  return undefined;
}
