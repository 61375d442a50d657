import { readFile } from "node:fs/promises";
import { text as readAll } from "node:stream/consumers";
import { InvalidArgumentError } from "commander";
import { errorMessage } from "#libs/errors/error-message.js";
import { UsageError } from "#cli/command-errors.js";

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A span such as `500ms`, `30s`, `5m`, `2h` or `1d`, in milliseconds. */
export function parseSpan(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text);
  const unit = match?.[2];
  if (match === null || !isUnit(unit))
    throw new InvalidArgumentError("it must be a span such as 500ms, 30s, 5m, 2h or 1d");
  return Math.round(Number(match[1]) * UNIT_MS[unit]);
}

function isUnit(unit: string | undefined): unit is keyof typeof UNIT_MS {
  return unit !== undefined && unit in UNIT_MS;
}

/** A point in time: RFC 3339, for example `2026-03-01T08:00:00Z`. */
export function parseTime(text: string): Date {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) throw new InvalidArgumentError("it must be a time such as 2026-03-01T08:00:00Z");
  return time;
}

/** A whole number. Whether it is in range is the service's business. */
export function parseWhole(text: string): number {
  if (!/^-?\d{1,15}$/.test(text)) throw new InvalidArgumentError("it must be a whole number");
  return Number(text);
}

/** A number, for example `1.5`. Whether it is in range is the service's business. */
export function parseNumber(text: string): number {
  if (!/^-?\d{1,15}(\.\d{1,9})?$/.test(text)) throw new InvalidArgumentError("it must be a number");
  return Number(text);
}

/** Gathers `key=value` pairs of a repeated flag. */
export function parseLabel(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("it must be KEY=VALUE");
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

/** Gathers the values of a repeated flag; one value may hold several, separated by commas. */
export function parseList(text: string, before: readonly string[] = []): string[] {
  return [...before, ...text.split(",").filter((item) => item !== "")];
}

/** A payload: JSON itself, `@file`, or `-` for stdin. It must be a JSON object. */
export async function readPayload(argument: string, stdin: NodeJS.ReadableStream): Promise<Record<string, unknown>> {
  const text = await payloadText(argument, stdin);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // The engine's own words quote the text.
    const position = /\bposition \d+/.exec(errorMessage(error))?.[0];
    throw new UsageError(`the payload is not JSON${position === undefined ? "" : `: see ${position}`}`);
  }
  if (!isObject(value)) throw new UsageError('the payload must be a JSON object, for example \'{"text":"hello"}\'');
  return value;
}

async function payloadText(argument: string, stdin: NodeJS.ReadableStream): Promise<string> {
  if (argument === "-") return readAll(stdin);
  if (!argument.startsWith("@")) return argument;
  try {
    return await readFile(argument.slice(1), "utf8");
  } catch (error) {
    throw new UsageError(`cannot read the payload: ${errorMessage(error)}`);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
