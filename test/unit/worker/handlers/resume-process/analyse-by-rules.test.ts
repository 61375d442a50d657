import { expect } from "chai";
import { analyseByRules } from "#worker/handlers/resume-process/analyse-by-rules.js";
import { BILINGUAL_RESUME, ENGLISH_RESUME, KOREAN_RESUME } from "#test/fixtures/resumes/resume-texts.js";

describe("analyseByRules", () => {
  it("reads a Korean resume", () => {
    expect(analyseByRules(KOREAN_RESUME, "KR")).to.deep.equal({
      name: "김민수",
      emails: ["minsu.kim@example.com"],
      phones: ["+821012345678"],
      skills: [
        "TypeScript",
        "Python",
        "SQL",
        "Node.js",
        "React",
        "PostgreSQL",
        "대용량 로그 처리",
        "Spring Boot",
        "Kubernetes",
      ],
      experience: [
        {
          company: "주식회사 한빛소프트",
          title: "백엔드 개발자",
          period: { start: "2019-03", end: "2022-02", ongoing: false },
        },
        { company: "푸른바다 주식회사", title: "선임 연구원", period: { start: "2022-03", end: null, ongoing: true } },
      ],
    });
  });

  it("reads an English resume", () => {
    expect(analyseByRules(ENGLISH_RESUME, "KR")).to.deep.equal({
      name: "Amelia Hartwell",
      emails: ["amelia.hartwell@example.com"],
      phones: ["+442079460958"],
      skills: ["TypeScript", "Go tooling", "Python", "PostgreSQL", "Docker", "Kubernetes", "gRPC", "Kafka"],
      experience: [
        {
          company: "Larkspur Analytics",
          title: "Senior Software Engineer",
          period: { start: "2020-01", end: null, ongoing: true },
        },
        {
          company: "Tidewater Systems Ltd",
          title: "Software Developer",
          period: { start: "2016-03", end: "2019-12", ongoing: false },
        },
      ],
    });
  });

  it("takes a number written in two ways for one, and a label's name before any other", () => {
    expect(analyseByRules(BILINGUAL_RESUME, "KR")).to.deep.include({ name: "박서연", phones: ["+821023456789"] });
  });

  it("finds nothing in a text that is no resume", () => {
    const nothing = { name: null, emails: [], phones: [], skills: [], experience: [] };
    expect(analyseByRules("The moon pulls on the sea.\n\nTides turn twice a day.", "KR")).to.deep.equal(nothing);
    expect(analyseByRules("", "KR")).to.deep.equal(nothing);
  });

  it("keeps to its bounds whatever the text", () => {
    const emails = Array.from({ length: 50 }, (_, index) => `a${index}@example.com`).join("\n");
    const skills = `Skills\n${Array.from({ length: 300 }, (_, index) => `Craft ${index}`).join(", ")}`;
    const positions = Array.from({ length: 80 }, (_, index) => `Firm ${index} | Engineer\n2001.01 - 2002.02`).join(
      "\n",
    );
    const facts = analyseByRules(`${emails}\n${skills}\nExperience\n${positions}`, "KR");
    expect(facts.emails).to.have.lengthOf(10);
    expect(facts.skills).to.have.lengthOf(100);
    expect(facts.experience).to.have.lengthOf(50);
  });
});
