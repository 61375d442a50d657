import { expect } from "chai";
import { PermanentError } from "#libs/define-task/define-task.js";
import { checkIdentity } from "#worker/handlers/resume-process/check-identity.js";
import { BILINGUAL_RESUME, ENGLISH_RESUME, KOREAN_RESUME, TWO_RESUMES } from "#test/fixtures/resumes/resume-texts.js";

function refusalOf(text: string): PermanentError | undefined {
  try {
    checkIdentity(text, "KR");
    return undefined;
  } catch (error) {
    if (error instanceof PermanentError) return error;
    throw error;
  }
}

describe("checkIdentity", () => {
  it("passes resumes of one person, references and a second language included", () => {
    for (const text of [KOREAN_RESUME, ENGLISH_RESUME, BILINGUAL_RESUME, "no person at all"])
      expect(refusalOf(text), text.slice(0, 20)).to.equal(undefined);
  });

  it("passes one person with two addresses", () => {
    expect(refusalOf("Amelia Hartwell\namelia@example.com\namelia.hartwell@example.org\n")).to.equal(undefined);
  });

  it("refuses two persons with contacts of their own, in Korean and in English, and names nobody", () => {
    const error = refusalOf(TWO_RESUMES);
    expect(error).to.include({ code: "MULTI_IDENTITY" });
    expect(error?.details).to.deep.equal({ persons: 2 });
    expect(error?.message).to.equal("the document holds 2 persons with contacts of their own");
    expect(
      refusalOf(`${ENGLISH_RESUME.split("REFERENCES")[0]}\nCURRICULUM VITAE\nJonas Albright\njonas@example.net\n`),
    ).to.include({ code: "MULTI_IDENTITY" });
  });

  it("cannot tell a second person without contacts", () => {
    expect(refusalOf("성명: 김민수\n010-1234-5678\n\n성명: 이영희\n")).to.equal(undefined);
  });
});
