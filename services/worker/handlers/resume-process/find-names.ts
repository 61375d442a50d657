import { headingKind } from "#worker/handlers/resume-process/resume-sections.js";
import { isTitle } from "#worker/handlers/resume-process/title-words.js";
import { isSkill } from "#worker/handlers/resume-process/skill-words.js";
import { MAX_NAME_CHARACTERS } from "#worker/handlers/resume-process/resume-facts.js";

/** A name and the line it stands in, from 0. */
export interface FoundName {
  readonly name: string;
  readonly line: number;
  /** Said to be a name by a label (`Name:`, `성명`), not only looking like one. */
  readonly labelled: boolean;
}

/** The family names of some 97 % of Koreans (census of 2015, Statistics Korea), those of two syllables included. */
const FAMILY_NAMES = new Set(
  (
    "김 이 박 최 정 강 조 윤 장 임 한 오 서 신 권 황 안 송 류 전 홍 고 문 양 손 배 백 허 유 남 심 노 하 곽 성 차 주 우 구 나 민 진 지 엄 채 원 천 " +
    "방 공 현 함 변 염 여 추 도 소 석 선 설 마 길 연 위 표 명 기 반 라 왕 금 옥 육 인 맹 제 모 탁 국 어 은 편 용 남궁 황보 제갈 선우 사공 서문 독고"
  ).split(" "),
);
const LABEL = /^(?:full\s+name|name|성\s*명|이\s*름)\s*(?:\([^)]{0,20}\))?\s*[:：|\t]?\s*(.+)$/iu;
const LABEL_ALONE = /^(?:full\s+name|name|성\s*명|이\s*름)\s*[:：]?$/iu;
const KOREAN = /^[가-힣](?:\s?[가-힣]){1,4}$/u;
const LATIN_WORD = "\\p{Lu}(?:\\p{L}|['’-](?=\\p{L}))*\\.?";
const LATIN = new RegExp(`^${LATIN_WORD}(?:\\s+(?:(?:van|von|de|da|del|bin|al)\\s+)?${LATIN_WORD}){1,3}$`, "u");
/** Ends a name: what follows it in the same line. */
const REST = /\s*(?:[|,;/·•(（<\[\t]|\s-\s|\s–\s|\s{2,}|(?:\S+@)|\+?\d).*$/u;
/** Capitalised words that no name consists of. */
const NO_NAME =
  /\b(?:curriculum|vitae|resume|résumé|cv|university|college|institute|school|inc|ltd|llc|corp|company|street|road|avenue|seoul|busan|korea|republic|city|state|github|linkedin|phone|mobile|email|address|birth|date|page|confidential|dear|team|group|department|bachelor|master|science|engineering|january|february|march|april|june|july|august|september|october|november|december|about|work|personal|technical|professional|employment|present)\b/iu;
/** Korean words of a resume's head that begin like a family name. */
const NO_KOREAN_NAME =
  /^(?:이력서|성명|이름|주소|전화|전화번호|이메일|연락처|지원서|경력직|신입|정보|서울시?|부산시?|대한민국|개발자|기획자|디자이너|남자|여자|남성|여성|인적사항|자기소개서?|경력기술서|고등학교|대학교|전공|한국|제목|나이|성별|국어|국적|소속|성적|성과|기간|기술|기타|지역|구분|내용|이력|이름표|유형|현황|현재|원서|제출|직책|직급|부서|회사|담당|날짜|수학|영어)$/u;

/** So much of a line is looked at. */
const LONGEST_LOOK = 200;

/** The name in a text that is or begins with one; undefined: there is none. */
export function nameIn(text: string): string | undefined {
  const start = text
    .slice(0, LONGEST_LOOK)
    .replace(/^[#*\s]+/, "")
    .trim();
  const candidate = start.replace(REST, "").trim();
  if (candidate.length > MAX_NAME_CHARACTERS) return undefined;
  if (isKoreanName(candidate)) return candidate.replace(/\s/g, "");
  const mixed = /^([가-힣]{2,4})\s+\p{Lu}/u.exec(candidate)?.[1];
  if (mixed !== undefined && isKoreanName(mixed)) return mixed;
  return isLatinName(candidate) ? candidate.replace(/\s+/g, " ") : undefined;
}

/** Every line of `lines` that is a name, by a label or by its look. */
export function findNames(lines: readonly string[]): FoundName[] {
  const found: FoundName[] = [];
  for (const [line, text] of lines.entries()) {
    const value = LABEL_ALONE.test(text.trim()) ? lines[line + 1] : LABEL.exec(text)?.[1];
    const labelled = value === undefined ? undefined : nameIn(value);
    const name = labelled ?? nameIn(text);
    if (name !== undefined && !found.some((other) => other.line >= line - 1 && other.name === name)) {
      found.push({ name, line, labelled: labelled !== undefined });
    }
  }
  return found;
}

function isKoreanName(text: string): boolean {
  if (!KOREAN.test(text)) return false;
  const name = text.replace(/\s/g, "");
  if (NO_KOREAN_NAME.test(name) || headingKind(name) !== undefined || isTitle(name)) return false;
  const isLong = FAMILY_NAMES.has(name.slice(0, 2)) && name.length >= 3;
  return isLong ? name.length <= 4 : FAMILY_NAMES.has(name.slice(0, 1)) && name.length <= 3;
}

function isLatinName(text: string): boolean {
  if (!LATIN.test(text) || NO_NAME.test(text)) return false;
  return headingKind(text) === undefined && !isTitle(text) && !isSkill(text);
}
