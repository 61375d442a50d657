import { expect } from "chai";
import { maskEmail, maskName, maskPhone } from "#worker/handlers/resume-process/mask-personal.js";
import { redactor } from "#worker/handlers/resume-process/redact-personal.js";

describe("Masked forms", () => {
  it("of email addresses keep the first letter and the domain", () => {
    expect(maskEmail("kim@example.com")).to.equal("k***@example.com");
    expect(maskEmail("K@example.com")).to.equal("***@example.com");
  });

  it("of email addresses star a domain that says who it is", () => {
    expect(maskEmail("me@minsukim.dev", "Minsu Kim")).to.equal("m***@m***.dev");
    expect(maskEmail("amelia@amelia-hartwell.example.com")).to.equal("a***@a***.e***.com");
  });

  it("of phone numbers keep the last four digits", () => {
    expect(maskPhone("+821012345678")).to.equal("010-****-5678");
    expect(maskPhone("+82212345678")).to.equal("02-****-5678");
    expect(maskPhone("+82311234567")).to.equal("031-***-4567");
    expect(maskPhone("+442079460958")).to.equal("+44 ***-***-0958");
    expect(maskPhone("not a number")).to.equal("****");
  });

  it("of names keep first letters, and the last of a Korean one", () => {
    expect(["김민수", "김민", "남궁민수", "김", "Amelia Hartwell", "X"].map(maskName)).to.deep.equal([
      "김*수",
      "김*",
      "남**수",
      "*",
      "A***** H*******",
      "*",
    ]);
  });
});

describe("redactor", () => {
  it("masks the name in every order and part, and all contacts, whosever they are", () => {
    const redact = redactor({ name: "Amelia Hartwell" }, "KR");
    expect(
      redact("Hartwell, Amelia (amelia@example.com, 010-1234-5678) of Hartwell Studio knows bob@example.org"),
    ).to.equal("A***** H******* (a***@example.com, 010-****-5678) of H******* Studio knows b***@example.org");
  });

  it("masks a Korean name with and without spaces, particles behind it or not", () => {
    const redact = redactor({ name: "김민수" }, "KR");
    expect(redact("김민수는 김 민 수 스튜디오의 대표")).to.equal("김*수는 김*수 스튜디오의 대표");
  });

  it("masks names with a hyphen, whole and their parts", () => {
    const redact = redactor({ name: "Anna-Maria Holt" }, "US");
    expect(redact("Anna-Maria Holt led it; Holt, Anna-Maria signed.")).not.to.match(/Anna|Maria|Holt/);
  });

  it("takes what means something in a pattern for letters", () => {
    const redact = redactor({ name: "Eve (Evi) O'Neil+" }, "US");
    expect(redact("Eve (Evi) O'Neil+ was there"))
      .to.match(/ was there$/)
      .and.not.to.include("O'Neil");
  });

  it("leaves other text as it is", () => {
    expect(redactor({ name: null }, "KR")("2019.03 - 2022.02 TypeScript")).to.equal("2019.03 - 2022.02 TypeScript");
  });
});
