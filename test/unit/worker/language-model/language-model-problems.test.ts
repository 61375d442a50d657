import { expect } from "chai";
import { readSettings } from "#libs/config/settings.js";
import { languageModelProblems } from "#worker/language-model/language-model-problems.js";
import { languageModelSettings } from "#worker/language-model/language-model-settings.js";

describe("languageModelProblems", () => {
  const problems = (env: Readonly<Record<string, string>>) =>
    languageModelProblems(readSettings(languageModelSettings, { env }));
  const LLM = { TASKWIRE_LLM_PROVIDER: "openai", TASKWIRE_LLM_MODEL: "m" };
  const EMBEDDING = { TASKWIRE_EMBEDDING_PROVIDER: "openai", TASKWIRE_EMBEDDING_MODEL: "m" };

  it("finds none in the defaults, nor with a key or a base URL", () => {
    expect(problems({})).to.deep.equal([]);
    expect(problems({ ...LLM, TASKWIRE_LLM_API_KEY: "k" })).to.deep.equal([]);
    expect(problems({ ...LLM, TASKWIRE_LLM_BASE_URL: "http://localhost:1/v1", ...EMBEDDING })).to.deep.equal([]);
    expect(problems({ ...EMBEDDING, TASKWIRE_EMBEDDING_API_KEY: "k" })).to.deep.equal([]);
  });

  it("names what is missing", () => {
    expect(problems({ TASKWIRE_LLM_PROVIDER: "anthropic", TASKWIRE_EMBEDDING_PROVIDER: "openai" })).to.deep.equal([
      "TASKWIRE_LLM_MODEL is missing (TASKWIRE_LLM_PROVIDER=anthropic)",
      "TASKWIRE_LLM_API_KEY is missing (TASKWIRE_LLM_PROVIDER=anthropic)",
      "TASKWIRE_EMBEDDING_MODEL is missing (TASKWIRE_EMBEDDING_PROVIDER=openai)",
      "TASKWIRE_EMBEDDING_API_KEY is missing (TASKWIRE_EMBEDDING_PROVIDER=openai)",
    ]);
  });
});
