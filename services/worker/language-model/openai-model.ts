import { z } from "zod";
import { callProvider, type ProviderAccess, type ProviderLimits } from "#worker/language-model/call-provider.js";
import { checkedText, instructionsOf } from "#worker/language-model/instructions.js";
import type { Completion, CompletionRequest, LanguageModel } from "#worker/language-model/language-model.js";
import { openAiClient } from "#worker/language-model/openai-client.js";
import { parseFailure } from "#worker/language-model/provider-failure.js";

const count = z.int().min(0).catch(0);
const answer = z.object({
  choices: z.array(z.object({ message: z.object({ content: z.string().nullish() }) })).min(1),
  usage: z.object({ prompt_tokens: count, completion_tokens: count }).catch({ prompt_tokens: 0, completion_tokens: 0 }),
});

/** A model behind OpenAI's chat completions or a server that speaks them, by the official client. */
export class OpenAiModel implements LanguageModel {
  readonly provider = "openai";
  readonly model: string;
  readonly #access: ProviderAccess;
  readonly #limits: ProviderLimits;
  readonly #maxTokens: number;

  constructor(model: string, access: ProviderAccess, limits: ProviderLimits, maxTokens: number) {
    this.model = model;
    this.#access = access;
    this.#limits = limits;
    this.#maxTokens = maxTokens;
  }

  async complete(request: CompletionRequest, { signal }: { readonly signal: AbortSignal }): Promise<Completion> {
    const { system, user } = instructionsOf(request);
    const maxTokens = request.maxTokens ?? this.#maxTokens;
    return callProvider(this.#limits, signal, async (fetch, trySignal) => {
      const client = await openAiClient(this.#access, fetch, this.#limits.callTimeoutMs);
      const received: unknown = await client.chat.completions.create(
        {
          model: this.model,
          messages: [
            ...(system === "" ? [] : [{ role: "system" as const, content: system }]),
            { role: "user" as const, content: user },
          ],
          ...(request.json === true ? { response_format: { type: "json_object" as const } } : {}),
          // OpenAI's newer models refuse the old name, and many servers that speak its protocol do not know the new one.
          ...(this.#access.baseUrl === "" ? { max_completion_tokens: maxTokens } : { max_tokens: maxTokens }),
        },
        { signal: trySignal },
      );
      const { data } = answer.safeParse(received);
      if (data === undefined) throw parseFailure("it is no chat completion");
      return {
        text: checkedText(data.choices[0]?.message.content ?? "", request),
        usage: { inputTokens: data.usage.prompt_tokens, outputTokens: data.usage.completion_tokens },
      };
    });
  }
}
