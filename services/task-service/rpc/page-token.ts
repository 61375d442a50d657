import { createHash } from "node:crypto";
import { z } from "zod";
import type { FilterExpression } from "#libs/tasks/filter/filter-expression.js";
import { filterText } from "#libs/tasks/filter/filter-text.js";

/** The last row of a page. */
export interface PageCursor {
  readonly id: string;
  readonly updateTimeMs: number;
  readonly key: number;
}

const TOKEN = z.tuple([z.string(), z.string(), z.number(), z.number()]);

/**
 * A short text that differs for different filters and orders; null is no filter. Filters count as the same when they are parsed to the same
 * expression, so spaces and needless parentheses do not matter.
 */
export function filterFingerprint(filter: FilterExpression | null, orderBy: string): string {
  return createHash("sha256")
    .update(JSON.stringify([filter === null ? "" : filterText(filter), orderBy]))
    .digest("base64url")
    .slice(0, 16);
}

/** Makes the token of the page after `cursor`. */
export function makePageToken(fingerprint: string, cursor: PageCursor): string {
  const body = Buffer.from(JSON.stringify([fingerprint, cursor.id, cursor.updateTimeMs, cursor.key]));
  return Buffer.concat([seal(body), body]).toString("base64url");
}

/** Reads a token; undefined when it is malformed, altered, or belongs to another filter or order. */
export function readPageToken(token: string, fingerprint: string): PageCursor | undefined {
  const bytes = Buffer.from(token, "base64url");
  // Decoding skips over whatever is no base64url.
  if (bytes.toString("base64url") !== token) return undefined;
  const body = bytes.subarray(SEAL_BYTES);
  if (bytes.length <= SEAL_BYTES || !seal(body).equals(bytes.subarray(0, SEAL_BYTES))) return undefined;
  const parsed = TOKEN.safeParse(parseJson(body.toString()));
  if (!parsed.success || parsed.data[0] !== fingerprint) return undefined;
  const [, id, updateTimeMs, key] = parsed.data;
  return { id, updateTimeMs, key };
}

const SEAL_BYTES = 8;

/** Tells a token of ours from a made-up or damaged one; it is no secret. */
function seal(body: Buffer): Buffer {
  return createHash("sha256").update("taskwire page token").update(body).digest().subarray(0, SEAL_BYTES);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
