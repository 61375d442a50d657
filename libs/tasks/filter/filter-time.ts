const RFC_3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))$/;
const MINUTE_MS = 60_000;
const FIRST_MS = Date.parse("0001-01-01T00:00:00Z");
const LAST_MS = Date.parse("9999-12-31T23:59:59.999Z") + 0.5;

/**
 * The time of an RFC 3339 text in milliseconds since 1970, between the years 1 and 9999. Up to nine digits of a second are read; what lies
 * between two milliseconds becomes their middle. Undefined: the text is no such time. There are no leap seconds.
 */
export function parseFilterTime(text: string): number | undefined {
  const match = RFC_3339.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number);
  const fraction = (match[7] ?? "").padEnd(3, "0");
  const [offsetHours, offsetMinutes] = [Number(match[9] ?? 0), Number(match[10] ?? 0)];
  const isClock = hour <= 23 && minute <= 59 && second <= 59 && offsetHours <= 23 && offsetMinutes <= 59;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (!isClock || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  date.setUTCHours(hour, minute, second, Number(fraction.slice(0, 3)));
  const between = /[1-9]/.test(fraction.slice(3)) ? 0.5 : 0;
  const offsetMs = (offsetHours * 60 + offsetMinutes) * MINUTE_MS * (match[8] === "-" ? -1 : 1);
  const timeMs = date.getTime() - offsetMs + between;
  return timeMs >= FIRST_MS && timeMs <= LAST_MS ? timeMs : undefined;
}

/** The RFC 3339 text of a time that {@link parseFilterTime} returned. */
export function filterTimeText(timeMs: number): string {
  const text = new Date(Math.floor(timeMs)).toISOString();
  return Number.isInteger(timeMs) ? text : text.replace("Z", "5Z");
}
