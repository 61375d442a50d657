import type { CountryCode } from "libphonenumber-js";
import { PermanentError } from "#libs/define-task/define-task.js";
import { findContacts } from "#worker/handlers/resume-process/find-contacts.js";
import { findNames } from "#worker/handlers/resume-process/find-names.js";
import { linesOf, resumeSections } from "#worker/handlers/resume-process/resume-sections.js";

/** A name and the contacts that stand near it. */
interface Identity {
  readonly names: Set<string>;
  readonly contacts: Set<string>;
}

/** Contacts belong to the last name that is at most this many lines before them. */
const REACH_LINES = 6;

/**
 * Refuses a document that clearly holds several persons: two or more different names, each with an email address or phone number of its own
 * within the next six lines. Names that share a contact are one person (Korean and Latin spelling, a bilingual resume). References do not
 * count. Throws PermanentError `MULTI_IDENTITY`, which says how many, and not who.
 */
export function checkIdentity(text: string, country: CountryCode): void {
  const sections = resumeSections(text);
  const lines = linesOf(sections, "top", "profile", "skills", "experience", "projects", "education", "other");
  const identities = mergeIdentities(blocksOf(lines, country));
  if (identities.length < 2) return;
  throw new PermanentError(
    "MULTI_IDENTITY",
    `the document holds ${identities.length} persons with contacts of their own`,
    {
      details: { persons: identities.length },
    },
  );
}

function blocksOf(lines: readonly string[], country: CountryCode): Identity[] {
  const names = findNames(lines);
  return names.flatMap(({ name, line }, index) => {
    const end = Math.min(names[index + 1]?.line ?? lines.length, line + 1 + REACH_LINES);
    const { emails, phones } = findContacts(lines.slice(line, end).join("\n"), country);
    const contacts = new Set([...emails.map((email) => email.toLowerCase()), ...phones]);
    return contacts.size === 0 ? [] : [{ names: new Set([keyOf(name)]), contacts }];
  });
}

/** Joins identities that share a name or a contact, until none do. */
function mergeIdentities(blocks: readonly Identity[]): Identity[] {
  const merged: Identity[] = [];
  for (const block of blocks) {
    const same = merged.filter(
      (other) => overlaps(other.names, block.names) || overlaps(other.contacts, block.contacts),
    );
    for (const other of same) merged.splice(merged.indexOf(other), 1);
    const all = [block, ...same];
    merged.push({
      names: new Set(all.flatMap(({ names }) => [...names])),
      contacts: new Set(all.flatMap(({ contacts }) => [...contacts])),
    });
  }
  return merged;
}

function overlaps(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return [...a].some((item) => b.has(item));
}

/** `KIM Minsu` and `Minsu Kim` are one. */
function keyOf(name: string): string {
  return name.toLowerCase().replace(/[.,]/g, "").split(/\s+/).sort().join(" ");
}
