import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { ResumePlace } from "#test/fixtures/resumes/resume-run.js";
import { KOREAN_RESUME, KOREAN_SECRETS } from "#test/fixtures/resumes/resume-texts.js";
import { ModelServer, type ModelBehaviour } from "#test/support/model-server.js";
import { rejectionOf } from "#test/support/rejection-of.js";

const FAIL: ModelBehaviour = { kind: "status", status: 500 };

describe("resume.process with a model provider", () => {
  let place: ResumePlace;
  let server: ModelServer;
  let path: string;

  beforeEach(async () => {
    place = new ResumePlace();
    server = new ModelServer();
    await server.start();
    path = join(place.path, "resume.txt");
    writeFileSync(path, KOREAN_RESUME);
  });

  afterEach(async () => {
    await server.stop();
    place.remove();
  });

  const embedding = () => ({
    TASKWIRE_EMBEDDING_PROVIDER: "openai",
    TASKWIRE_EMBEDDING_MODEL: "vectors",
    TASKWIRE_EMBEDDING_BASE_URL: server.openAiUrl,
    TASKWIRE_RESUME_EMBEDDING_BATCH: "3",
  });
  const chat = () => ({
    TASKWIRE_LLM_PROVIDER: "openai",
    TASKWIRE_LLM_MODEL: "reader",
    TASKWIRE_LLM_BASE_URL: server.openAiUrl,
    TASKWIRE_LLM_RETRIES: "0",
  });
  const embeddingsAsked = () => server.requests.filter(({ path: to }) => to.endsWith("/embeddings"));

  describe("for embeddings", () => {
    it("embeds every chunk, and sends masked forms of what is personal", async () => {
      const { result } = await place.run({ path }, { settings: embedding() });
      const { structured, section, fullText } = result.chunks;
      const count = structured + section + fullText;
      expect(result.embeddings).to.include({ provider: "openai", model: "vectors", dimensions: 8, count, failed: 0 });
      const sent = embeddingsAsked().flatMap(({ texts }) => texts);
      expect(sent).to.have.lengthOf(count);
      for (const secret of KOREAN_SECRETS) expect(sent.join("\n"), secret).not.to.include(secret);
      expect(sent.join("\n")).to.include("김*수").and.include("010-****-5678");
      expect(place.open(result.artifact.path).chunks.every(({ vector }) => vector?.length === 8)).to.equal(true);
    });

    it("tries a batch four times, then completes without its vectors (EMBEDDING_PARTIAL_FAILURE)", async () => {
      server.behave(FAIL, FAIL, FAIL, FAIL);
      const { result, warnings } = await place.run({ path }, { settings: embedding() });
      expect(warnings).to.have.lengthOf(1);
      expect(warnings[0]).to.deep.include({
        code: "EMBEDDING_PARTIAL_FAILURE",
        details: { failed: 3, lastCode: "LLM_UNAVAILABLE" },
      });
      expect(result.embeddings).to.include({ failed: 3 });
      expect(result.warnings).to.have.lengthOf(1);
      const vectors = place.open(result.artifact.path).chunks.map(({ vector }) => vector);
      expect(vectors.slice(0, 3)).to.deep.equal([null, null, null]);
      expect(vectors.slice(3)).not.to.include(null);
    });

    it("succeeds at the fourth try", async () => {
      server.behave(FAIL, { kind: "malformed" }, { kind: "status", status: 429 });
      const { warnings } = await place.run({ path }, { settings: embedding() });
      expect(warnings).to.deep.equal([]);
    });

    it("gives up after two batches in a row, and waits for no answer longer than its time", async () => {
      server.behaveAlways({ kind: "hang", at: "headers" });
      const quick = { TASKWIRE_RESUME_EMBEDDING_TIMEOUT_MS: "50", TASKWIRE_RESUME_EMBEDDING_RETRIES: "1" };
      const { result, warnings } = await place.run({ path }, { settings: { ...embedding(), ...quick } });
      expect(result.embeddings).to.include({ count: 0, dimensions: null });
      expect(warnings[0]).to.nested.include({ "details.lastCode": "LLM_TIMEOUT" });
      expect(embeddingsAsked()).to.have.lengthOf(4);
    });

    it("does not ask again after a refusal of the key", async () => {
      server.behaveAlways({ kind: "status", status: 401 });
      const { warnings } = await place.run({ path }, { settings: embedding() });
      expect(warnings[0]).to.nested.include({ "details.lastCode": "LLM_REJECTED" });
      expect(embeddingsAsked()).to.have.lengthOf(2);
    });

    it("asks for none where the payload wants none", async () => {
      const { result } = await place.run({ path, embeddings: false }, { settings: embedding() });
      expect(result.embeddings).to.equal(null);
      expect(server.requests).to.deep.equal([]);
    });
  });

  describe("for the analysis", () => {
    const ANSWER = {
      name: "김민수",
      emails: ["minsu.kim@example.com", "made-up@example.com"],
      phones: ["010-1234-5678", "010-0000-1111"],
      skills: ["TypeScript", "Kubernetes", "Cobol"],
      experience: [
        { company: "주식회사 한빛소프트", title: "백엔드 개발자", start: "2019-03", end: "2022-02", ongoing: false },
        { company: "Made Up Ltd", title: null, start: "2019-03" },
      ],
    };

    it("believes of an answer what stands in the text", async () => {
      server.answer = () => JSON.stringify(ANSWER);
      const { result, said } = await place.run({ path, embeddings: false }, { settings: chat() });
      expect(result.analysis).to.include({ provider: "openai", model: "reader" });
      expect(result.analysis.usage.inputTokens).to.be.above(0);
      expect(result.skills).to.deep.equal(["TypeScript", "Kubernetes"]);
      expect(result.experience).to.deep.equal([
        {
          company: "주식회사 한빛소프트",
          title: "백엔드 개발자",
          period: { start: "2019-03", end: "2022-02", ongoing: false },
        },
      ]);
      expect(place.open(result.artifact.path).facts).to.deep.include({
        name: "김민수",
        emails: ["minsu.kim@example.com"],
        phones: ["+821012345678"],
      });
      for (const secret of KOREAN_SECRETS) expect(said, secret).not.to.include(secret);
    });

    it("masks what a model puts where it does not belong", async () => {
      const experience = [{ company: "김민수", title: "minsu.kim@example.com", start: "2019" }];
      server.answer = () => JSON.stringify({ ...ANSWER, skills: ["010-1234-5678"], experience });
      const { result } = await place.run({ path, embeddings: false }, { settings: chat() });
      expect(result.skills).to.deep.equal(["010-****-5678"]);
      expect(result.experience[0]).to.include({ company: "김*수", title: "m***@example.com" });
    });

    it("asks no model where the payload wants rules", async () => {
      const { result } = await place.run({ path, embeddings: false, analysis: "rules" }, { settings: chat() });
      expect(result.analysis.provider).to.equal("rules");
      expect(server.requests).to.deep.equal([]);
    });

    it("fails the attempt with LLM_PARSE_ERROR for an answer of another form, of which it tells nothing", async () => {
      for (const answer of [JSON.stringify({ skills: "김민수" }), "[]", "김민수"]) {
        server.answer = () => answer;
        const error = await rejectionOf(place.run({ path }, { settings: chat() }));
        expect(error).to.include({ name: "RetryableError", code: "LLM_PARSE_ERROR" });
        expect(error.message).not.to.include("김민수");
      }
    });

    it("fails the attempt when the provider is away, and the next one does not read the file again", async () => {
      server.behave(FAIL);
      expect((await rejectionOf(place.run({ path }, { settings: chat() }))).code).to.equal("LLM_UNAVAILABLE");
      writeFileSync(path, "");
      server.answer = () => JSON.stringify(ANSWER);
      const again = await place.run({ path }, { settings: chat(), attempt: 2 });
      expect(again.result.resumedStages).to.deep.equal(["text"]);
    });
  });
});
