import { inspect, isDeepStrictEqual } from "node:util";

/** Fails unless two values are deeply equal; names what they are and only the fields in which they differ. */
export function expectSame(what: string, found: unknown, expected: unknown): void {
  if (isDeepStrictEqual(found, expected)) return;
  const fields = [...new Set([...fieldsOf(found), ...fieldsOf(expected)])];
  const differing = fields.filter((field) => !isDeepStrictEqual(valueOf(found, field), valueOf(expected, field)));
  const lines = differing.map(
    (field) => `  ${field}: found ${show(valueOf(found, field))}, expected ${show(valueOf(expected, field))}`,
  );
  if (lines.length === 0) lines.push(`  found ${show(found)}, expected ${show(expected)}`);
  throw new Error(`${what} is not what the model has:\n${lines.join("\n")}`);
}

function fieldsOf(value: unknown): string[] {
  return typeof value === "object" && value !== null ? Object.keys(value) : [];
}

function valueOf(value: unknown, field: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, field) : undefined;
}

function show(value: unknown): string {
  return inspect(value, { depth: 6, breakLength: Infinity });
}
