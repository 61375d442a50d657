import { isSupportedCountry, type CountryCode } from "libphonenumber-js";
import { findPhones } from "#worker/handlers/resume-process/find-phones.js";
import { MAX_EMAILS, MAX_PHONES } from "#worker/handlers/resume-process/resume-facts.js";

/** Email addresses and phone numbers of a text, each once, in order. */
export interface Contacts {
  /** As written; compared without regard to case. */
  readonly emails: readonly string[];
  /** E.164. */
  readonly phones: readonly string[];
}

/** Letters of any script are left out on purpose: a Korean particle right behind an address is no part of it. */
const EMAIL = /[a-z0-9][a-z0-9._%+-]{0,63}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,8}[a-z]{2,24}(?![a-z0-9-])/gi;
/** Whether phone numbers without a country code can be read as those of this country (ISO 3166-1 alpha-2). */
export function isPhoneCountry(code: string): code is CountryCode {
  return isSupportedCountry(code);
}

/** Finds contacts. Numbers without `+` are read as of `country`, and where they are not of it, as of the United States. */
export function findContacts(text: string, country: CountryCode): Contacts {
  const emails = new Map<string, string>();
  for (const [address] of text.matchAll(EMAIL)) {
    const key = address.toLowerCase();
    if (!emails.has(key)) emails.set(key, address);
  }
  return {
    emails: [...emails.values()].slice(0, MAX_EMAILS),
    phones: [...new Set(findPhones(text, country).map(({ number }) => number))].slice(0, MAX_PHONES),
  };
}
