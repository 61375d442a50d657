/** Words of job titles. A text with one of them is a title rather than a company or a name. */
const ENGLISH =
  /\b(?:engineer|developer|programmer|architect|manager|director|designer|analyst|scientist|researcher|consultant|administrator|lead|head|chief|officer|intern|internship|assistant|associate|specialist|coordinator|technician|teacher|lecturer|professor|nurse|accountant|editor|writer|translator|marketer|recruiter|president|founder|cofounder|cto|ceo|cfo|coo|vp|qa|sre|devops|freelancer?|executive|supervisor|representative|planner|strategist|owner)\b/i;
const KOREAN =
  /(?:엔지니어|개발자|프로그래머|아키텍트|매니저|디자이너|분석가|연구원|컨설턴트|관리자|인턴|사원|주임|대리|과장|차장|부장|팀장|실장|본부장|이사|상무|전무|대표|대표이사|책임|선임|수석|파트장|리드|기획자|마케터|강사|교사|교수|간호사|회계사|번역가|편집자|담당자|담당|조교)(?:$|[\s,/·(|])/u;
const KOREAN_FIELD = /(?:개발|기획|설계|운영|디자인|마케팅|영업|연구)(?:$|\s*(?:담당|업무))/u;

/** Whether a text names a job rather than an employer. */
export function isTitle(text: string): boolean {
  return ENGLISH.test(text) || KOREAN.test(text) || KOREAN_FIELD.test(text);
}
