import { findPhoneNumbersInText, type CountryCode } from "libphonenumber-js";

/** A phone number and where it stands. */
export interface FoundPhone {
  /** E.164: `+821012345678`. */
  readonly number: string;
  readonly start: number;
  readonly end: number;
}

/** Dates and pairs of years, which look like numbers: `2019.03`, `2012 - 2016`. Not within a number: `02-2012-2016`. */
const DATES =
  /(?<![\d+)-]\s?)(?:19|20)\d{2}\s*(?:[./년-]\s*(?:0?[1-9]|1[0-2])(?!\d)|[-–—~]\s*(?:19|20)\d{2}(?![\d-]))/gu;
const LINE = /[^\r\n]+/g;
const FULL_WIDTH_OFFSET = 0xff10 - 0x30;

/** Phone numbers of a text, in order. Those without `+` are read as of `country`, and where a line has none of it, as of the United States. */
export function findPhones(text: string, country: CountryCode): FoundPhone[] {
  const plain = text
    .replace(/[０-９]/g, (digit) => String.fromCharCode(digit.charCodeAt(0) - FULL_WIDTH_OFFSET))
    .replace(DATES, (date) => "x".repeat(date.length));
  const phones: FoundPhone[] = [];
  for (const { 0: line, index } of plain.matchAll(LINE)) {
    if (!/\d{2}/.test(line)) continue;
    const own = findPhoneNumbersInText(line, country);
    const found = own.length > 0 || country === "US" ? own : findPhoneNumbersInText(line, "US");
    for (const { number, startsAt, endsAt } of found)
      phones.push({ number: number.number, start: index + startsAt, end: index + endsAt });
  }
  return phones;
}
