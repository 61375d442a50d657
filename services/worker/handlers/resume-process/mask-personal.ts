import { parsePhoneNumberFromString } from "libphonenumber-js";

const STARS = "***";

/** An address as it may be shown: `k***@example.com`. A domain that repeats what is before the `@` or the name is starred as well. */
export function maskEmail(address: string, name: string | null = null): string {
  const [local = "", domain = ""] = address.toLowerCase().split("@");
  const first = local.length > 1 ? local.slice(0, 1) : "";
  return `${first}${STARS}@${isPersonalDomain(domain, local, name) ? maskDomain(domain) : domain}`;
}

/** A number (E.164) as it may be shown: `010-****-1234` in Korea, `+1 ***-***-2671` elsewhere. */
export function maskPhone(e164: string): string {
  const parsed = parsePhoneNumberFromString(e164);
  if (parsed === undefined) return "****";
  const national = parsed.nationalNumber;
  const last = national.slice(national.length >= 8 ? -4 : -2);
  if (parsed.country !== "KR") return `+${parsed.countryCallingCode} ${STARS}-${STARS}-${last}`;
  const area = national.startsWith("2") ? "02" : `0${national.slice(0, 2)}`;
  const middle = national.length - (area.length - 1) - last.length;
  return `${area}-${"*".repeat(Math.max(3, middle))}-${last}`;
}

/** A name as it may be shown: `김*수`, `김*`, `M**** K**`. */
export function maskName(name: string): string {
  const words = name.trim().split(/\s+/);
  if (words.length > 1) return words.map((word) => maskWord(word, false)).join(" ");
  return maskWord(name.trim(), /^\p{Script=Hangul}+$/u.test(name.trim()));
}

/** Stars all but the first letter and, with `keepLast` and three letters or more, the last. */
function maskWord(word: string, keepLast: boolean): string {
  const letters = [...word];
  if (letters.length <= 1) return "*";
  const last = keepLast && letters.length >= 3 ? (letters.at(-1) ?? "") : "";
  return `${letters[0] ?? ""}${"*".repeat(letters.length - 1 - last.length)}${last}`;
}

const SHORTEST_LIKENESS = 4;

function isPersonalDomain(domain: string, local: string, name: string | null): boolean {
  const plain = domain.replace(/[^a-z0-9]/g, "");
  const words = [...local.split(/[^a-z]+/), ...(name ?? "").toLowerCase().split(/[^a-z]+/)];
  return words.some((word) => word.length >= SHORTEST_LIKENESS && plain.includes(word));
}

function maskDomain(domain: string): string {
  const labels = domain.split(".");
  return labels.map((label, index) => (index === labels.length - 1 ? label : `${label.slice(0, 1)}${STARS}`)).join(".");
}
