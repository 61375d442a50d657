import { z } from "zod";
import { callProvider, type ProviderAccess, type ProviderLimits } from "#worker/language-model/call-provider.js";
import type { Embedder, Embeddings } from "#worker/language-model/embedder.js";
import { openAiClient } from "#worker/language-model/openai-client.js";
import { parseFailure } from "#worker/language-model/provider-failure.js";

/** Texts per request; OpenAI takes at most 2,048. */
const TEXTS_PER_REQUEST = 256;

const answer = z.object({
  data: z.array(z.object({ index: z.int().min(0), embedding: z.array(z.number()).min(1) })),
  usage: z.object({ prompt_tokens: z.int().min(0) }).catch({ prompt_tokens: 0 }),
});

/** An embedding model behind OpenAI's embeddings or a server that speaks them, by the official client; 256 texts per request. */
export class OpenAiEmbedder implements Embedder {
  readonly provider = "openai";
  readonly model: string;
  readonly #access: ProviderAccess;
  readonly #limits: ProviderLimits;

  constructor(model: string, access: ProviderAccess, limits: ProviderLimits) {
    this.model = model;
    this.#access = access;
    this.#limits = limits;
  }

  async embed(texts: readonly string[], { signal }: { readonly signal: AbortSignal }): Promise<Embeddings> {
    const vectors: (readonly number[])[] = [];
    let inputTokens = 0;
    for (let start = 0; start < texts.length; start += TEXTS_PER_REQUEST) {
      const batch = await this.#embedBatch(texts.slice(start, start + TEXTS_PER_REQUEST), signal);
      vectors.push(...batch.vectors);
      inputTokens += batch.usage.inputTokens;
    }
    return { vectors, usage: { inputTokens, outputTokens: 0 } };
  }

  #embedBatch(texts: string[], signal: AbortSignal): Promise<Embeddings> {
    return callProvider(this.#limits, signal, async (fetch, trySignal) => {
      const client = await openAiClient(this.#access, fetch, this.#limits.callTimeoutMs);
      const received: unknown = await client.embeddings.create(
        { model: this.model, input: texts, encoding_format: "float" },
        { signal: trySignal },
      );
      const { data } = answer.safeParse(received);
      if (data === undefined) throw parseFailure("it is no list of embeddings");
      const byIndex = new Map(data.data.map(({ index, embedding }) => [index, embedding]));
      const vectors = texts.map((_, index) => byIndex.get(index) ?? []);
      const [first = []] = vectors;
      if (first.length === 0 || vectors.some((vector) => vector.length !== first.length)) {
        throw parseFailure("it has not one vector per text, all of one length");
      }
      return { vectors, usage: { inputTokens: data.usage.prompt_tokens, outputTokens: 0 } };
    });
  }
}
