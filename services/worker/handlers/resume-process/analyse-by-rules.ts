import type { CountryCode } from "libphonenumber-js";
import { findContacts } from "#worker/handlers/resume-process/find-contacts.js";
import { findExperience } from "#worker/handlers/resume-process/find-experience.js";
import { findNames } from "#worker/handlers/resume-process/find-names.js";
import { findSkills } from "#worker/handlers/resume-process/find-skills.js";
import type { ResumeFacts } from "#worker/handlers/resume-process/resume-facts.js";
import { linesOf, resumeSections } from "#worker/handlers/resume-process/resume-sections.js";

/** A name that carries no label is looked for in so many first lines. */
const HEAD_LINES = 12;

/** What rules find in a resume, English or Korean. The same text gives the same facts. Contacts of references are left out. */
export function analyseByRules(text: string, country: CountryCode): ResumeFacts {
  const sections = resumeSections(text);
  const own = linesOf(sections, "top", "profile", "skills", "experience", "projects", "education", "other");
  const head = linesOf(sections, "top", "profile");
  const { emails, phones } = findContacts(own.join("\n"), country);
  const names = findNames(head);
  // Without a contact anywhere, what merely looks like a name is more likely a heading.
  const looksLike = emails.length + phones.length === 0 ? undefined : names.find(({ line }) => line < HEAD_LINES);
  const name = names.find(({ labelled }) => labelled) ?? looksLike;
  return {
    name: name?.name ?? null,
    emails: [...emails],
    phones: [...phones],
    skills: findSkills(sections),
    experience: findExperience(sections),
  };
}
