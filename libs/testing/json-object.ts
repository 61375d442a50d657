import { z } from "zod";

const anyObject = z.record(z.string(), z.unknown());

/** The object that a JSON text says; throws when it says something else. */
export function jsonObject(text: string): Readonly<Record<string, unknown>> {
  return anyObject.parse(JSON.parse(text));
}
