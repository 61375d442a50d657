/** The longest wait that a task can ask for. */
const MAX_MS = 86_400_000;

/**
 * What a `Retry-After` header asks for, in milliseconds, [0, 24 h]: it holds whole seconds or a date (RFC 9110, 10.2.3). Undefined when
 * there is none, or nothing that can be read.
 */
export function retryAfterMs(header: string | undefined, nowMs = Date.now()): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  const isDate = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(text);
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : isDate ? Date.parse(text) - nowMs : NaN;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAX_MS);
}
