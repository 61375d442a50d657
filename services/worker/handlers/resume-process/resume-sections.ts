/** What a part of a resume is about. `top` is what stands before the first heading. */
export type SectionKind =
  "top" | "profile" | "skills" | "experience" | "projects" | "education" | "references" | "other";

/** A part of a resume: its lines, trimmed, without empty ones. */
export interface Section {
  readonly kind: SectionKind;
  readonly lines: readonly string[];
}

const HEADINGS: readonly (readonly [SectionKind, readonly string[]])[] = [
  ["profile", ["profile", "summary", "about", "about me", "objective", "personal information", "personal details"]],
  ["profile", ["contact", "contacts", "contact information", "professional summary"]],
  ["profile", ["인적사항", "개인정보", "기본정보", "자기소개", "소개", "요약", "연락처", "프로필"]],
  ["skills", ["skills", "technical skills", "core skills", "key skills", "skills and tools", "technologies"]],
  [
    "skills",
    ["tech stack", "technology stack", "core competencies", "tools", "기술", "기술스택", "보유기술", "보유역량"],
  ],
  ["skills", ["기술역량", "핵심역량", "사용기술", "스킬"]],
  ["experience", ["experience", "work experience", "professional experience", "employment", "employment history"]],
  [
    "experience",
    ["work history", "career", "career history", "경력", "경력사항", "경력기술서", "경력소개", "근무경력"],
  ],
  ["experience", ["업무경력", "직장경력", "주요경력"]],
  ["projects", ["projects", "selected projects", "personal projects", "프로젝트", "주요프로젝트", "수행프로젝트"]],
  ["education", ["education", "education and training", "academic background", "학력", "학력사항", "교육", "교육사항"]],
  ["references", ["references", "referees", "추천인", "참고인", "평판조회", "추천서"]],
  [
    "other",
    ["certifications", "certificates", "awards", "honors", "publications", "languages", "interests", "hobbies"],
  ],
  ["other", ["volunteering", "activities", "patents", "자격증", "자격사항", "수상", "수상경력", "수상내역", "어학"]],
  ["other", ["어학능력", "외국어", "병역", "병역사항", "활동", "대외활동", "취미", "특기", "기타"]],
];

const KIND_OF = new Map(HEADINGS.flatMap(([kind, names]) => names.map((name) => [name.replace(/ /g, ""), kind])));
const LONGEST_HEADING = 40;

/** What section a line opens, if it is a heading: a known word alone on its line, whatever marks and numbers are around it. */
export function headingKind(line: string): SectionKind | undefined {
  if (line.length > LONGEST_HEADING) return undefined;
  const words = line
    .toLowerCase()
    .replace(/&/g, "and")
    .replace(/^[\s\d.)(]*|[^\p{L}\p{N}\s]/gu, "")
    .replace(/\s+/g, "");
  return KIND_OF.get(words);
}

/** Parts a resume by its headings, in order. Without any heading it is one `top`. */
export function resumeSections(text: string): Section[] {
  const sections: { kind: SectionKind; lines: string[] }[] = [];
  let current = { kind: "top" as SectionKind, lines: [] as string[] };
  for (const raw of text.split(/\r\n?|\n/)) {
    const line = raw.trim();
    if (line === "") continue;
    const kind = headingKind(line);
    if (kind === undefined) {
      current.lines.push(line);
      continue;
    }
    sections.push(current);
    current = { kind, lines: [] };
  }
  return [...sections, current].filter(({ kind, lines }) => kind !== "top" || lines.length > 0);
}

/** The lines of the sections of these kinds, in order. */
export function linesOf(sections: readonly Section[], ...kinds: readonly SectionKind[]): string[] {
  return sections.filter(({ kind }) => kinds.includes(kind)).flatMap(({ lines }) => lines);
}
