import type { CountryCode } from "libphonenumber-js";
import { findPhones } from "#worker/handlers/resume-process/find-phones.js";
import { maskEmail, maskName, maskPhone } from "#worker/handlers/resume-process/mask-personal.js";
import { escapePattern } from "#worker/handlers/resume-process/escape-pattern.js";
import type { ResumeFacts } from "#worker/handlers/resume-process/resume-facts.js";

/** Replaces what is known to be personal. */
export type Redactor = (text: string) => string;

const ANY_EMAIL = /[^\s@<>()[\],;:"|]{1,64}@[^\s@<>()[\],;:"|]{1,253}\.[a-z]{2,24}/giu;

/**
 * A function that puts the masked form for every email address and phone number in a text, whosever they are, and for the person's name:
 * whole (with or without spaces), and its longer parts as words of their own.
 */
export function redactor(facts: Pick<ResumeFacts, "name">, country: CountryCode): Redactor {
  const names = namePatterns(facts.name);
  return (text) => {
    const withoutEmails = text.replace(ANY_EMAIL, (address) => maskEmail(address, facts.name));
    const withoutPhones = redactPhones(withoutEmails, country);
    return names.reduce((rest, { pattern, masked }) => rest.replace(pattern, masked), withoutPhones);
  };
}

function redactPhones(text: string, country: CountryCode): string {
  return findPhones(text, country).reduceRight(
    (rest, { number, start, end }) => rest.slice(0, start) + maskPhone(number) + rest.slice(end),
    text,
  );
}

const SHORTEST_NAME_PART = 3;

function namePatterns(name: string | null): { pattern: RegExp; masked: string }[] {
  if (name === null || name.trim() === "") return [];
  const parts = name.trim().split(/\s+/);
  const isHangul = /^\p{Script=Hangul}+$/u.test(name.replace(/\s/g, ""));
  const pieces = isHangul ? [...name.replace(/\s/g, "")] : parts;
  const whole = pieces.map(escapePattern).join(isHangul ? "\\s?" : "\\s*");
  const orders =
    isHangul || parts.length < 2 ? [whole] : [whole, [...parts].reverse().map(escapePattern).join(",?\\s*")];
  const single = parts.length < 2 ? [] : parts.filter((part) => part.length >= SHORTEST_NAME_PART);
  return [
    ...orders.map((source) => ({ pattern: new RegExp(source, "giu"), masked: maskName(name) })),
    ...single.map((part) => ({
      pattern: new RegExp(`(?<!\\p{L})${escapePattern(part)}(?!\\p{L})`, "giu"),
      masked: maskName(part),
    })),
  ];
}
