import { MAX_SKILLS } from "#worker/handlers/resume-process/resume-facts.js";
import { linesOf, type Section } from "#worker/handlers/resume-process/resume-sections.js";
import { mentionedSkills } from "#worker/handlers/resume-process/skill-words.js";

const SEPARATOR = /[,;、，·•|/\t]|\s{2,}/u;
const LABEL = /^[\p{L} &]{2,30}\s*[:：]\s*/u;
const LONGEST_SKILL = 40;
const MOST_WORDS = 4;

/**
 * Skills of a resume: what its section of skills lists, item by item, and known names that stand anywhere but among references.
 * Each once without regard to case; known ones under their usual names.
 */
export function findSkills(sections: readonly Section[]): string[] {
  const listed = linesOf(sections, "skills").flatMap(itemsOf);
  const told = linesOf(sections, "top", "profile", "experience", "projects", "education", "other").join("\n");
  const skills = new Map<string, string>();
  for (const skill of [...listed, ...mentionedSkills(told)]) {
    const key = skill.toLowerCase();
    if (!skills.has(key)) skills.set(key, skill);
  }
  return [...skills.values()].slice(0, MAX_SKILLS);
}

function itemsOf(line: string): string[] {
  const list = line.replace(/^[-*•▪■◆○●\s]+/u, "").replace(LABEL, "");
  const items = list.split(SEPARATOR).map((item) => item.trim().replace(/[.。]$/u, ""));
  if (items.length === 1 && list.split(/\s+/).length > MOST_WORDS) return mentionedSkills(list);
  return items.flatMap((item) => {
    const known = mentionedSkills(item);
    if (known.length > 0) return known;
    const isItem = /\p{L}/u.test(item) && item.length <= LONGEST_SKILL && item.split(/\s+/).length <= MOST_WORDS;
    return isItem ? [item] : [];
  });
}
