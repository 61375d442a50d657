import { z } from "zod";
import {
  callProvider,
  NO_KEY,
  type ProviderAccess,
  type ProviderLimits,
} from "#worker/language-model/call-provider.js";
import { checkedText, instructionsOf } from "#worker/language-model/instructions.js";
import type { Completion, CompletionRequest, LanguageModel } from "#worker/language-model/language-model.js";
import { parseFailure } from "#worker/language-model/provider-failure.js";

const ANTHROPIC_URL = "https://api.anthropic.com";

const count = z.int().min(0).nullish().catch(0);
const answer = z.object({
  content: z.array(z.looseObject({ type: z.string(), text: z.string().optional() })).min(1),
  usage: z
    .object({
      input_tokens: count,
      output_tokens: count,
      cache_creation_input_tokens: count,
      cache_read_input_tokens: count,
    })
    .catch({}),
});

/** A model behind Anthropic's messages, by the official client. The address is one without `/v1`. */
export class AnthropicModel implements LanguageModel {
  readonly provider = "anthropic";
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
    return callProvider(this.#limits, signal, async (fetch, trySignal) => {
      const received: unknown = await (
        await this.#client(fetch)
      ).messages.create(
        {
          model: this.model,
          max_tokens: request.maxTokens ?? this.#maxTokens,
          messages: [{ role: "user", content: user }],
          ...(system === "" ? {} : { system }),
        },
        { signal: trySignal },
      );
      const { data } = answer.safeParse(received);
      if (data === undefined) throw parseFailure("it is no message");
      const text = data.content.map((block) => (block.type === "text" ? (block.text ?? "") : "")).join("");
      return { text: checkedText(text, request), usage: usageOf(data.usage) };
    });
  }

  /** For one try: it neither tries again, nor logs, nor reads the environment for what settings say. Loaded when it is needed. */
  async #client(fetch: typeof globalThis.fetch) {
    const { default: Client } = await import("@anthropic-ai/sdk");
    const { baseUrl, apiKey } = this.#access;
    return new Client({
      baseURL: baseUrl === "" ? ANTHROPIC_URL : baseUrl,
      apiKey: apiKey === "" ? NO_KEY : apiKey,
      maxRetries: 0,
      timeout: this.#limits.callTimeoutMs,
      logLevel: "off",
      fetch,
    });
  }
}

/** What went in is what was read anew, what was put into the provider's cache and what came out of it. */
function usageOf(usage: z.infer<typeof answer>["usage"]): Completion["usage"] {
  const input = [usage.input_tokens, usage.cache_creation_input_tokens, usage.cache_read_input_tokens];
  return {
    inputTokens: input.reduce<number>((sum, tokens) => sum + (tokens ?? 0), 0),
    outputTokens: usage.output_tokens ?? 0,
  };
}
