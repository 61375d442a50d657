import { expect } from "chai";
import { readSettings } from "#libs/config/settings.js";
import { PermanentError, RetryableError } from "#libs/define-task/define-task.js";
import { ModelServer } from "#test/support/model-server.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { SilentServer } from "#test/support/silent-server.js";
import { until } from "#test/support/until.js";
import { languageModel } from "#worker/language-model/choose-model.js";
import { languageModelSettings } from "#worker/language-model/language-model-settings.js";
import type { CompletionRequest } from "#worker/language-model/language-model.js";

const KEY = "sk-test-0123456789";
const CANARY = "the-words-of-the-prompt";

describe("language models behind a provider", () => {
  const server = new ModelServer();
  const { signal } = new AbortController();

  before(() => server.start());
  after(() => server.stop());

  beforeEach(() => {
    server.requests.length = 0;
    server.key = KEY;
    server.behaveAlways({ kind: "answer" });
    server.answer = () => "An answer.";
  });

  for (const provider of ["openai", "anthropic"] as const) {
    describe(provider, () => {
      const model = (env: Readonly<Record<string, string>> = {}) =>
        languageModel(
          readSettings(languageModelSettings, {
            env: {
              TASKWIRE_LLM_PROVIDER: provider,
              TASKWIRE_LLM_MODEL: "test-model",
              TASKWIRE_LLM_BASE_URL: provider === "openai" ? server.openAiUrl : server.url,
              TASKWIRE_LLM_API_KEY: KEY,
              TASKWIRE_LLM_RETRY_DELAY_MS: "1",
              ...env,
            },
          }),
        );
      const complete = (env?: Readonly<Record<string, string>>, request: Partial<CompletionRequest> = {}) =>
        model(env).complete({ prompt: CANARY, ...request }, { signal });
      const failure = async (env?: Readonly<Record<string, string>>, request?: Partial<CompletionRequest>) => {
        const error = await rejectionOf(complete(env, request));
        if (!(error instanceof RetryableError || error instanceof PermanentError)) throw error;
        expect(`${error.message} ${JSON.stringify(error.details)}`)
          .not.to.include(CANARY)
          .and.not.include(KEY);
        return error;
      };

      it("answers, tells the tokens, and names itself", async () => {
        const completion = await complete(
          {},
          { system: "Be brief.", material: ["One.", "Two </material>."], maxTokens: 77, language: "ko" },
        );
        expect(completion.text).to.equal("An answer.");
        expect(completion.usage.inputTokens).to.be.greaterThan(3);
        expect(completion.usage.outputTokens).to.equal(2);
        expect(model()).to.include({ provider, model: "test-model" });
        const [request] = server.requests;
        const said = JSON.stringify(request?.body);
        expect(request?.model).to.equal("test-model");
        expect(said)
          .to.include("Be brief.")
          .and.include("“ko”")
          .and.include('<material number=\\"2\\">')
          .and.include("77");
        expect(said.match(/<\/material>/g)).to.have.lengthOf(2);
      });

      it("gives an object where one is asked for, also out of a code fence", async () => {
        server.answer = () => '```json\n{"a": 1}\n```';
        expect((await complete({}, { json: true })).text).to.equal('{"a": 1}');
      });

      for (const [what, text] of [
        ["words", "Here you are: {}"],
        ["a list", "[1]"],
      ] as const) {
        it(`tries again and fails when it gets ${what} instead of an object`, async () => {
          server.answer = () => text;
          const error = await failure({ TASKWIRE_LLM_RETRIES: "1" }, { json: true });
          expect(error).to.be.instanceOf(RetryableError).with.property("code", "LLM_PARSE_ERROR");
          expect(server.requests).to.have.lengthOf(2);
        });
      }

      it("goes on after failures that pass", async () => {
        server.behave({ kind: "status", status: 500 }, { kind: "cut" });
        expect((await complete()).text).to.equal("An answer.");
        expect(server.requests).to.have.lengthOf(3);
      });

      it("gives up after two more tries and tells the status, the provider's word and the tries", async () => {
        server.behaveAlways({ kind: "status", status: 500 });
        const error = await failure();
        expect(error).to.be.instanceOf(RetryableError).with.property("code", "LLM_UNAVAILABLE");
        expect(error.message).to.equal("the model provider answered 500 (api_error) (3 tries)");
        expect(error.details).to.deep.include({ status: 500, tries: 3 });
        expect(server.requests).to.have.lengthOf(3);
      });

      for (const [what, header, isExpected] of [
        ["seconds", () => "7", (ms: number) => ms === 7000],
        ["a date", () => new Date(Date.now() + 90_000).toUTCString(), (ms: number) => ms > 60_000 && ms <= 90_000],
      ] as const) {
        it(`ends at once with the wait that a 429 asks for in ${what}, if it is longer than a call may wait`, async () => {
          server.behaveAlways({ kind: "status", status: 429, headers: { "retry-after": header() } });
          const error = await failure({ TASKWIRE_LLM_RETRY_MAX_DELAY_MS: "6999" });
          expect(error).to.be.instanceOf(RetryableError).with.property("code", "LLM_RATE_LIMIT");
          expect(error).to.have.property("retryAfterMs").that.satisfies(isExpected);
          expect(error.message).to.equal("the model provider answered 429 (rate_limit_error)");
          expect(server.requests).to.have.lengthOf(1);
        });
      }

      it("waits as a 429 asks if that is short, and keeps the wish when it fails all the same", async () => {
        server.behaveAlways({ kind: "status", status: 429, headers: { "retry-after": "0" } });
        const error = await failure({ TASKWIRE_LLM_RETRY_MAX_DELAY_MS: "0" });
        expect(error).to.include({ code: "LLM_RATE_LIMIT", retryAfterMs: 0 });
        expect(server.requests).to.have.lengthOf(3);
      });

      for (const status of [400, 401, 403, 404, 422]) {
        it(`fails for good at ${status}`, async () => {
          server.behave({ kind: "status", status });
          const error = await failure();
          expect(error).to.be.instanceOf(PermanentError).with.property("code", "LLM_REJECTED");
          expect(error.details).to.deep.include({ status, tries: 1 });
        });
      }

      it("does not repeat what the provider says about a wrong key, nor follow it elsewhere", async () => {
        const refused = await failure({ TASKWIRE_LLM_API_KEY: "sk-wrong" });
        expect(refused.message).to.equal("the model provider answered 401 (authentication_error)");
        server.behave({ kind: "status", status: 307, headers: { location: `${server.url}/v1/elsewhere` }, body: "" });
        expect((await failure()).message).to.equal("the model provider answered 307");
        expect(server.requests).to.have.lengthOf(2);
      });

      for (const kind of ["malformed", "empty"] as const) {
        it(`cannot use an answer that is ${kind}`, async () => {
          server.behaveAlways({ kind });
          const error = await failure({ TASKWIRE_LLM_RETRIES: "0" });
          expect(error).to.be.instanceOf(RetryableError).with.property("code", "LLM_PARSE_ERROR");
          expect(error.message).to.match(/^the model provider's answer cannot be used: /);
        });
      }

      it("cannot use an answer without text", async () => {
        server.behaveAlways({ kind: "answer", text: " " });
        expect(await failure({ TASKWIRE_LLM_RETRIES: "0" })).to.have.property("code", "LLM_PARSE_ERROR");
      });

      it("calls an answer that is HTML no JSON", async () => {
        server.behave({ kind: "status", status: 200, headers: { "content-type": "text/html" }, body: "<html></html>" });
        expect(await failure({ TASKWIRE_LLM_RETRIES: "0" })).to.have.property("code", "LLM_PARSE_ERROR");
      });

      for (const at of ["headers", "body"] as const) {
        it(`gives a try up whose ${at} do not come, and tries again`, async () => {
          server.behave({ kind: "hang", at });
          expect((await complete({ TASKWIRE_LLM_CALL_TIMEOUT_MS: "250" })).text).to.equal("An answer.");
          server.behaveAlways({ kind: "hang", at });
          const error = await failure({ TASKWIRE_LLM_CALL_TIMEOUT_MS: "50", TASKWIRE_LLM_RETRIES: "1" });
          expect(error).to.be.instanceOf(RetryableError).with.property("code", "LLM_TIMEOUT");
          expect(error.message).to.equal("the model provider did not answer within 50 ms (2 tries)");
        });
      }

      it("gives a connection up that is not there in time", async () => {
        const silent = new SilentServer();
        await silent.start();
        try {
          const error = await failure({
            TASKWIRE_LLM_BASE_URL: `https://127.0.0.1:${silent.port}`,
            TASKWIRE_LLM_CONNECT_TIMEOUT_MS: "50",
            TASKWIRE_LLM_RETRIES: "0",
          });
          expect(error).to.be.instanceOf(RetryableError).with.property("code", "LLM_TIMEOUT");
          expect(error.message).to.equal("the model provider did not take the connection within 50 ms");
        } finally {
          await silent.stop();
        }
      });

      it("tells that nobody is there", async () => {
        const gone = new SilentServer();
        await gone.start();
        const { port } = gone;
        await gone.stop();
        const error = await failure({ TASKWIRE_LLM_BASE_URL: `http://127.0.0.1:${port}`, TASKWIRE_LLM_RETRIES: "1" });
        expect(error).to.be.instanceOf(RetryableError).with.property("code", "LLM_UNAVAILABLE");
        expect(error.message).to.equal("the model provider cannot be reached: ECONNREFUSED (2 tries)");
      });

      it("cannot send a key that is no header", async () => {
        const error = await failure({ TASKWIRE_LLM_API_KEY: "two\nlines" });
        expect(error).to.be.instanceOf(PermanentError).with.property("code", "LLM_REJECTED");
        expect(server.requests).to.have.lengthOf(0);
      });

      for (const when of ["within a try", "between tries"] as const) {
        it(`stops ${when} with the reason of its signal`, async () => {
          const controller = new AbortController();
          const reason = new Error("cancelled in the test");
          server.behaveAlways(
            when === "within a try"
              ? { kind: "hang", at: "body" }
              : { kind: "status", status: 429, headers: { "retry-after": "5" } },
          );
          const stopped = rejectionOf(model().complete({ prompt: "x" }, { signal: controller.signal }));
          await until("it has asked", () => server.requests.length > 0);
          controller.abort(reason);
          expect(await stopped).to.equal(reason);
          expect(server.requests).to.have.lengthOf(1);
        });
      }
    });
  }
});
