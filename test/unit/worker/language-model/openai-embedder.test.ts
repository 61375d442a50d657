import { expect } from "chai";
import { readSettings } from "#libs/config/settings.js";
import { ModelServer } from "#test/support/model-server.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { embedder } from "#worker/language-model/choose-model.js";
import { languageModelSettings } from "#worker/language-model/language-model-settings.js";

describe("embeddings behind a provider", () => {
  const server = new ModelServer();
  const { signal } = new AbortController();
  const chosen = (env: Readonly<Record<string, string>> = {}) =>
    embedder(
      readSettings(languageModelSettings, {
        env: {
          TASKWIRE_EMBEDDING_PROVIDER: "openai",
          TASKWIRE_EMBEDDING_MODEL: "test-embedding",
          TASKWIRE_EMBEDDING_BASE_URL: server.openAiUrl,
          TASKWIRE_EMBEDDING_API_KEY: "key of embeddings",
          TASKWIRE_LLM_RETRY_DELAY_MS: "1",
          TASKWIRE_LLM_RETRIES: "1",
          ...env,
        },
      }),
    );

  before(() => server.start());
  after(() => server.stop());

  beforeEach(() => {
    server.requests.length = 0;
    server.key = "key of embeddings";
    server.behaveAlways({ kind: "answer" });
  });

  it("gives one vector per text and tells the tokens", async () => {
    const model = chosen();
    const { vectors, usage } = await model.embed(["one", "two words"], { signal });
    expect(vectors).to.have.lengthOf(2);
    expect(vectors[0]).to.have.lengthOf(8).and.not.deep.equal(vectors[1]);
    expect(usage).to.deep.equal({ inputTokens: 3, outputTokens: 0 });
    expect(model).to.include({ provider: "openai", model: "test-embedding" });
  });

  it("asks for nothing when there are no texts, and for many in parts, in their order", async () => {
    expect(await chosen().embed([], { signal })).to.deep.equal({
      vectors: [],
      usage: { inputTokens: 0, outputTokens: 0 },
    });
    const texts = Array.from({ length: 257 }, (_, index) => `text-${index}`);
    const { vectors } = await chosen().embed(texts, { signal });
    expect(server.requests.map((request) => request.texts.length)).to.deep.equal([256, 1]);
    const [alone] = (await chosen().embed(["text-200"], { signal })).vectors;
    expect(vectors[200]).to.deep.equal(alone);
  });

  for (const behaviour of [
    { kind: "empty" },
    { kind: "malformed" },
    {
      kind: "status",
      status: 200,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        data: [
          { index: 0, embedding: [1, 2] },
          { index: 1, embedding: [1] },
        ],
      }),
    },
  ] as const) {
    it(`cannot use an answer that is ${behaviour.kind === "status" ? "of unequal lengths" : behaviour.kind}`, async () => {
      server.behaveAlways(behaviour);
      const error = await rejectionOf(chosen().embed(["one", "two"], { signal }));
      expect(error).to.have.property("code", "LLM_PARSE_ERROR");
      expect(server.requests).to.have.lengthOf(2);
    });
  }

  it("uses the place and the key of the language model where it has none of its own, and that key nowhere else", async () => {
    server.key = "key of chats";
    const chats = {
      TASKWIRE_LLM_PROVIDER: "openai",
      TASKWIRE_LLM_MODEL: "m",
      TASKWIRE_LLM_BASE_URL: server.openAiUrl,
      TASKWIRE_LLM_API_KEY: "key of chats",
      TASKWIRE_EMBEDDING_API_KEY: "",
    };
    expect(
      (await chosen({ ...chats, TASKWIRE_EMBEDDING_BASE_URL: "" }).embed(["one"], { signal })).vectors,
    ).to.have.lengthOf(1);
    expect(await rejectionOf(chosen(chats).embed(["one"], { signal }))).to.have.property("code", "LLM_REJECTED");
  });
});
