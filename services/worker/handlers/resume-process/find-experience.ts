import { findPeriod, type FoundPeriod } from "#worker/handlers/resume-process/find-period.js";
import { entryText, MAX_EXPERIENCE, type Experience } from "#worker/handlers/resume-process/resume-facts.js";
import { linesOf, type Section } from "#worker/handlers/resume-process/resume-sections.js";
import { isTitle } from "#worker/handlers/resume-process/title-words.js";

const BULLET = /^[-*•▪■◆○●‣∙·]\s*/u;
const PARTS = /\s*(?:[|,;·•\t／]|\s[-–—/]\s|\s{2,}|\s@\s|\bat\b(?=\s+\p{Lu}))\s*/u;
const LONGEST_HEAD = 120;

interface Line {
  readonly text: string;
  readonly isBullet: boolean;
  readonly found: FoundPeriod | undefined;
}

/**
 * Positions of the sections of experience: every line with a period is one. Company and title are read from the rest of that line, else
 * from the line before it and, where one of the two is missing, from a short line behind it; bullet points are never read.
 */
export function findExperience(sections: readonly Section[]): Experience[] {
  const lines = linesOf(sections, "experience").map(toLine);
  const used = new Set<number>();
  const positions: Experience[] = [];
  for (const [index, line] of lines.entries()) {
    if (line.found === undefined || positions.length >= MAX_EXPERIENCE) continue;
    const rest = `${line.text.slice(0, line.found.start)}  ${line.text.slice(line.found.end)}`;
    const parts = partsOf(rest);
    for (const neighbour of [index - 1, index + 1]) {
      if (parts.some(isTitle) && parts.some(isEmployer)) break;
      const near = lines[neighbour];
      if (near === undefined || near.isBullet || near.found !== undefined || used.has(neighbour)) continue;
      const isHead = near.text.length <= LONGEST_HEAD && !/[.。다]$/u.test(near.text);
      if (!isHead || (neighbour > index && belongsToNext(lines, neighbour))) continue;
      used.add(neighbour);
      parts.push(...partsOf(near.text));
    }
    const title = parts.find(isTitle);
    const company = parts.find(isEmployer);
    if (title === undefined && company === undefined) continue;
    positions.push({
      company: company === undefined ? null : entryText(company),
      title: title === undefined ? null : entryText(title),
      period: line.found.period,
    });
  }
  return positions;
}

function toLine(raw: string): Line {
  const text = raw.replace(BULLET, "");
  const found = findPeriod(text);
  // A bullet with a period is a position: many templates list them so.
  return { text, isBullet: BULLET.test(raw) && found === undefined, found };
}

/** A head line right before another period is that position's, unless it could only be this one's. */
function belongsToNext(lines: readonly Line[], index: number): boolean {
  return lines[index + 1]?.found !== undefined;
}

function isEmployer(text: string): boolean {
  return !isTitle(text);
}

function partsOf(text: string): string[] {
  return text
    .split(PARTS)
    .map((part) => part.replace(/^[\s()[\]:：-]+|[\s()[\]:：-]+$/gu, ""))
    .filter((part) => /\p{L}{2}/u.test(part) && !/^(?:\d+\s*(?:년|개월|years?|months?|yrs?|mos?)\s*)+$/iu.test(part));
}
