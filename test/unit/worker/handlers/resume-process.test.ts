import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { PermanentError } from "#libs/define-task/define-task.js";
import { resumeDocx, resumePdf } from "#test/fixtures/resumes/resume-files.js";
import { ResumePlace, TASK_ID } from "#test/fixtures/resumes/resume-run.js";
import {
  ENGLISH_RESUME,
  ENGLISH_SECRETS,
  KOREAN_RESUME,
  KOREAN_SECRETS,
  TWO_RESUMES,
} from "#test/fixtures/resumes/resume-texts.js";
import { documentFixture } from "#test/support/document-fixture.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { runHandler } from "#test/support/run-handler.js";
import resumeProcess from "#worker/handlers/resume-process.js";

describe("resume.process", () => {
  let place: ResumePlace;

  beforeEach(() => {
    place = new ResumePlace();
  });

  afterEach(() => place.remove());

  const put = (name: string, content: string | Buffer): string => {
    const path = join(place.path, name);
    writeFileSync(path, content);
    return path;
  };

  it("reads a Korean DOCX: masked facts in the result, everything else sealed", async () => {
    const path = put("resume.docx", await resumeDocx(KOREAN_RESUME));
    const { result, warnings, said } = await place.run({ path });
    expect(warnings).to.deep.equal([]);
    expect(result.masked).to.deep.equal({
      name: "김*수",
      emails: ["m***@example.com"],
      phones: ["010-****-5678"],
    });
    expect(result.document).to.include({ format: "docx", bytes: readFileSync(path).length });
    expect(result.analysis).to.include({ provider: "rules" });
    expect(result.skills).to.include.members(["TypeScript", "Python", "Kubernetes"]);
    expect(result.experience.map(({ company }) => company)).to.deep.equal(["주식회사 한빛소프트", "푸른바다 주식회사"]);
    const artifact = readFileSync(result.artifact.path);
    expect(result.artifact).to.include({
      path: join(process.cwd(), ".taskwire", "artifacts", `${TASK_ID}.resume`),
      bytes: artifact.length,
      sha256: createHash("sha256").update(artifact).digest("hex"),
    });
    const opened = place.open(result.artifact.path);
    expect(opened.facts).to.deep.include({ name: "김민수", phones: ["+821012345678"] });
    const { structured, section, fullText } = result.chunks;
    expect(opened.chunks).to.have.lengthOf(structured + section + fullText);
    expect(result.embeddings).to.include({
      provider: "offline",
      dimensions: 256,
      count: opened.chunks.length,
      failed: 0,
    });
    for (const secret of KOREAN_SECRETS) expect(said + place.bytes, secret).not.to.include(secret);
    expect(place.files).to.deep.equal([`${TASK_ID}.resume`]);
  });

  it("reads an English PDF", async () => {
    const { result, said } = await place.run({ path: put("cv.pdf", await resumePdf(ENGLISH_RESUME)) });
    expect(result.masked).to.deep.equal({
      name: "A***** H*******",
      emails: ["a***@example.com"],
      phones: ["+44 ***-***-0958"],
    });
    expect(result.document).to.include({ format: "pdf", pages: 1 });
    expect(result.experience.map(({ title }) => title)).to.deep.equal([
      "Senior Software Engineer",
      "Software Developer",
    ]);
    for (const secret of ENGLISH_SECRETS) expect(said + place.bytes, secret).not.to.include(secret);
  });

  it("reads HWP, HWPX and Korean PDF, whoever wrote them", async () => {
    for (const name of ["greeting.hwp", "table.hwpx", "harbour.ko.pdf"]) {
      const { result, warnings } = await place.run({ path: documentFixture(name) });
      expect(warnings, name).to.deep.equal([]);
      expect(result.document.format).to.equal(name.split(".").at(-1));
      expect(result.ids.person, name).to.equal(null);
      expect(result.chunks.fullText, name).to.be.above(0);
    }
  });

  it("gives the same person the same mark, and another one another", async () => {
    const person = async (text: string) => (await place.run({ path: put("a.txt", text) })).result.ids.person;
    const first = await person(KOREAN_RESUME);
    expect(await person(KOREAN_RESUME.replace("React", "Vue"))).to.equal(first);
    expect(await person(ENGLISH_RESUME)).not.to.equal(first);
  });

  it("tells each stage", async () => {
    const messages: (string | undefined)[] = [];
    const onProgress = ({ message }: { readonly message?: string }) => void messages.push(message);
    await place.run({ path: put("a.txt", KOREAN_RESUME) }, { onProgress });
    expect([...new Set(messages)]).to.deep.equal([
      "obtaining the file",
      "extracting text",
      "analysing",
      "cutting chunks",
      "embedding",
      "writing the artifact",
      "done",
    ]);
  });

  it("refuses several persons, and leaves nothing behind", async () => {
    const error = await rejectionOf(place.run({ path: put("two.txt", TWO_RESUMES) }));
    expect(error).to.be.instanceOf(PermanentError).with.property("code", "MULTI_IDENTITY");
    expect(place.files).to.deep.equal([]);
  });

  it("refuses to work without a key", async () => {
    const error = await rejectionOf(runHandler(resumeProcess, { path: put("a.txt", KOREAN_RESUME) }));
    expect(error).to.be.instanceOf(PermanentError).with.property("code", "ENCRYPTION_KEY_MISSING");
  });

  it("refuses files that are none of its formats, are too large or missing, without naming them", async () => {
    const settings = { TASKWIRE_DOCUMENT_BYTES: "4096" };
    const refused = async (path: string) => {
      const error = await rejectionOf(place.run({ path }, { settings }));
      expect(error).to.be.instanceOf(PermanentError);
      expect(error.message).not.to.include("minsu");
      return [error.code, Reflect.get(Object(Reflect.get(error, "details")), "reason") as unknown];
    };
    expect(await refused(put("minsu.pdf", KOREAN_RESUME))).to.deep.equal(["INVALID_FILE", "mismatch"]);
    expect(await refused(put("minsu.txt", "x".repeat(4097)))).to.deep.equal(["INVALID_FILE", "too_large"]);
    expect(await refused(put("minsu.html", "<!DOCTYPE html><p>log in"))).to.deep.equal(["INVALID_FILE", "unsupported"]);
    expect(await refused(place.path)).to.deep.equal(["INVALID_FILE", "not_a_file"]);
    expect(await refused(join(place.path, "minsu-gone.txt"))).to.deep.equal(["FILE_NOT_FOUND", undefined]);
  });

  it("refuses a text of more than a million characters", async () => {
    const text = `${KOREAN_RESUME}\n`.padEnd(1_000_001, "word ");
    const error = await rejectionOf(place.run({ path: put("long.txt", text) }));
    expect(error).to.be.instanceOf(PermanentError).and.nested.include({ "details.reason": "too_much_text" });
  });

  it("takes a payload of known fields only, with one source", async () => {
    for (const payload of [
      {},
      { path: "a", url: "https://example.com/a" },
      { path: "a", more: 1 },
      { url: "ftp://a/b" },
    ])
      expect((await rejectionOf(place.run(payload))).message).to.match(/^payload refused/);
  });
});
