import { expect } from "chai";
import type { z } from "zod";
import { PermanentError } from "#libs/define-task/define-task.js";
import { documentFixture } from "#test/support/document-fixture.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { runHandler } from "#test/support/run-handler.js";
import { digestResult } from "#worker/handlers/text-digest/digest-schema.js";
import textDigest from "#worker/handlers/text-digest.js";

describe("text.digest", () => {
  const digest = async (payload: unknown): Promise<z.infer<typeof digestResult>> =>
    digestResult.parse((await runHandler(textDigest, payload)).result);
  const phrases = (result: z.infer<typeof digestResult>) => result.keyPhrases.map(({ phrase }) => phrase);

  it("digests an English Markdown document", async () => {
    const result = await digest({ path: documentFixture("tides.md"), sentences: 2 });
    expect(result.title).to.equal("Why tides turn");
    expect(result.language).to.include({ code: "en", iso6393: "eng" });
    expect(result.language.confidence).to.be.above(0.5);
    // Counted by hand: headings 3 + 2 + 2, then sentences of 7, 18, 11, 15, 12 and 14 words.
    expect(result).to.include({ words: 84, sentences: 6, readingTimeSeconds: 21 });
    expect(phrases(result)).to.include.members(["Moon", "tidal force", "spring tide"]);
    expect(result.summary).to.deep.equal([
      "The Moon pulls the oceans towards itself.",
      "When the Sun and the Moon stand in one line, their tidal forces add up.",
    ]);
  });

  it("digests a Korean Markdown document without particles in its key phrases", async () => {
    const result = await digest({ path: documentFixture("tides.ko.md"), sentences: 2 });
    expect(result.title).to.equal("밀물과 썰물");
    expect(result.language).to.deep.include({ code: "ko", iso6393: "kor" });
    // Counted by hand: headings 2 + 2, then sentences of 4, 9, 10, 10, 3, 9 and 5 words.
    expect(result).to.include({ words: 54, sentences: 7 });
    expect(phrases(result).slice(0, 4)).to.have.members(["중력", "밀물", "태양", "조석력"]);
    for (const phrase of phrases(result)) expect(phrase).to.not.match(/[은을의를에서]$/);
    expect(result.summary).to.have.lengthOf(2);
    expect(result.summary.join(" ")).to.include("달의 중력").and.not.include("국수");
  });

  it("takes a Korean text full of English names as Korean", async () => {
    const result = await digest({
      text: "Taskwire는 gRPC와 NATS JetStream 위에서 도는 작업 큐입니다. 작업 큐는 결과를 SQLite에 저장합니다.",
    });
    expect(result.language.code).to.equal("ko");
    expect(phrases(result)).to.include("작업 큐");
  });

  it("digests other languages by words and stop words", async () => {
    const result = await digest({
      text: "Der Hafen öffnet am Morgen. Die Schiffe verlassen den Hafen bei Flut, und die Fischer bringen den Fang in den Hafen zurück.",
    });
    expect(result.language.code).to.equal("de");
    expect(result.sentences).to.equal(2);
    expect(phrases(result)[0]).to.equal("Hafen");
  });

  it("lets code, tables, badges, link lists, HTML and front matter out of everything", async () => {
    const result = await digest({ path: documentFixture("tides.md"), sentences: 20, phrases: 50 });
    const said = [...phrases(result), ...result.summary].join(" ").toLowerCase();
    for (const word of ["elephant", "fundy", "banner", "badge", "docs", "layout"]) expect(said).to.not.include(word);
  });

  it("reads plain text as it is and does not end a sentence at an abbreviation", async () => {
    const result = await digest({ path: documentFixture("harbour.txt") });
    expect(result).to.include({ title: "harbour.txt", words: 32, sentences: 3 });
    expect(result.summary).to.include("Dr. Ellis reads the log each morning.");
  });

  it("gives zeros for an empty document", async () => {
    const result = await digest({ path: documentFixture("empty.md") });
    expect(result).to.deep.include({
      characters: 0,
      words: 0,
      sentences: 0,
      keyPhrases: [],
      summary: [],
      readingTimeSeconds: 0,
    });
    expect(result.language).to.deep.equal({ code: "und", iso6393: "und", confidence: 0 });
    expect((await digest({ text: "" })).title).to.equal("");
  });

  it("counts characters as readers do", async () => {
    expect(await digest({ text: "Tea 🍵 is 茶." })).to.include({ characters: 11, words: 3 });
  });

  it("gives the same digest every time", async () => {
    const payload = { path: documentFixture("tides.md") };
    expect(await digest(payload)).to.deep.equal(await digest(payload));
  });

  it("obeys the given title, language, sentence and phrase counts", async () => {
    const result = await digest({
      path: documentFixture("tides.md"),
      title: "Ebb",
      language: "kor",
      sentences: 0,
      phrases: 3,
    });
    expect(result.title).to.equal("Ebb");
    expect(result.language).to.deep.equal({ code: "ko", iso6393: "kor", confidence: 1 });
    expect(result.summary).to.deep.equal([]);
    expect(result.keyPhrases).to.have.lengthOf(3);
  });

  it("says how far it is, never backwards", async () => {
    const { progress } = await runHandler(textDigest, { path: documentFixture("tides.md") });
    const fractions = progress.map(({ fraction }) => fraction ?? -1);
    expect(fractions).to.deep.equal([...fractions].sort((a, b) => a - b));
    expect(progress.map(({ message }) => message)).to.deep.equal([
      "reading",
      "language",
      "words",
      "phrases",
      "summary",
      "done",
    ]);
  });

  it("stops between stages when its signal fires", async () => {
    const controller = new AbortController();
    const reason = new Error("cancelled in the test");
    const run = runHandler(
      textDigest,
      { path: documentFixture("tides.md") },
      { signal: controller.signal, onProgress: ({ message }) => message === "words" && controller.abort(reason) },
    );
    expect(await rejectionOf(run)).to.equal(reason);
  });

  it("refuses a payload with no source, two sources or a foreign language code", async () => {
    for (const payload of [
      {},
      { text: "a", path: "b" },
      { text: "a", language: "not a code" },
      { text: "a", sentences: 21 },
    ]) {
      expect((await rejectionOf(runHandler(textDigest, payload))).message).to.match(/^payload refused/);
    }
  });

  it("fails for good on files that are not there, too large or no text", async () => {
    const cases: [string, string][] = [
      [documentFixture("no-such-file.md"), "FILE_NOT_FOUND"],
      [documentFixture("picture.md"), "NOT_TEXT"],
      [documentFixture("latin1.txt"), "NOT_TEXT"],
      [documentFixture("."), "NOT_A_FILE"],
    ];
    for (const [path, code] of cases) {
      const error = await rejectionOf(runHandler(textDigest, { path }));
      expect(error).to.be.instanceOf(PermanentError);
      expect(error.code).to.equal(code);
      expect(error.message).to.include(path);
    }
  });
});
