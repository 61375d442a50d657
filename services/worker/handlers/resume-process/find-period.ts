import type { Period } from "#worker/handlers/resume-process/resume-facts.js";

/** A period and where it stands in its text. */
export interface FoundPeriod {
  readonly period: Period;
  readonly start: number;
  readonly end: number;
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const MONTH_NAME =
  "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)";
const YEAR = "(?:19|20)\\d{2}";
/** 2021.03, 2021-03, 2021/03, 2021년 3월 (with a day or not), March 2021, 03/2021, 2021. */
const POINT = [
  `${YEAR}\\s*년\\s*\\d{1,2}\\s*월(?:\\s*\\d{1,2}\\s*일)?`,
  `${YEAR}\\s*[./-]\\s*\\d{1,2}(?:\\s*[./-]\\s*\\d{1,2})?\\.?(?!\\d)`,
  `${MONTH_NAME}\\.?,?\\s+${YEAR}`,
  `(?:0?[1-9]|1[0-2])\\s*/\\s*${YEAR}`,
  `${YEAR}\\s*년?`,
].join("|");
const NOW = "present|current|now|today|ongoing|현재|재직\\s*중|재직중|진행\\s*중";
const RANGE = new RegExp(
  `(?<![\\d.])(${POINT})\\s*(?:[-–—~∼〜]|to|until|부터)\\s*(${POINT}|${NOW})?(?:\\s*까지)?`,
  "iu",
);

/** The first period of a text; undefined: there is none. A single date is no period. */
export function findPeriod(text: string): FoundPeriod | undefined {
  const match = RANGE.exec(text);
  const start = match?.[1] === undefined ? undefined : pointOf(match[1]);
  if (match === null || start === undefined) return undefined;
  const last = match[2];
  const end = last === undefined ? null : (pointOf(last) ?? null);
  return {
    period: { start, end, ongoing: end === null },
    start: match.index,
    end: match.index + match[0].length,
  };
}

function pointOf(text: string): string | undefined {
  const year = new RegExp(YEAR).exec(text)?.[0];
  if (year === undefined) return undefined;
  const name = new RegExp(MONTH_NAME, "i").exec(text)?.[0].slice(0, 3).toLowerCase();
  const rest = text.replace(year, " ");
  const month = name === undefined ? Number(/\d{1,2}/.exec(rest)?.[0] ?? 0) : MONTHS.indexOf(name) + 1;
  return month >= 1 && month <= 12 ? `${year}-${String(month).padStart(2, "0")}` : year;
}
