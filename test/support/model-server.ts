import type { ServerResponse } from "node:http";
import { z } from "zod";
import { startReceiver, type HttpReceiver, type ReceivedRequest } from "#test/support/http-receiver.js";

/** How one request is met. `headers` and `body` go silent before or within the answer; `cut` breaks the connection within it. */
export type ModelBehaviour =
  | { readonly kind: "answer"; readonly text?: string }
  | {
      readonly kind: "status";
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  | { readonly kind: "hang"; readonly at: "headers" | "body" }
  | { readonly kind: "cut" }
  | { readonly kind: "malformed" }
  /** No choices, no vectors, no content. */
  | { readonly kind: "empty" };

/** What a model is asked, whatever the protocol. */
export interface ModelRequest {
  readonly path: string;
  readonly model: string;
  /** Every message with its role, or the texts to embed. */
  readonly texts: readonly string[];
  readonly received: ReceivedRequest;
  readonly body: Readonly<Record<string, unknown>>;
}

const content = z.union([z.string(), z.array(z.object({ type: z.literal("text"), text: z.string() }))]);
const message = z.object({ role: z.string(), content });
const chatBody = z.looseObject({ model: z.string(), messages: z.array(message).min(1) });
const embeddingsBody = z.looseObject({
  model: z.string(),
  input: z.array(z.string()).min(1),
  encoding_format: z.string().optional(),
});
const messagesBody = z.looseObject({ ...chatBody.shape, max_tokens: z.int().min(1), system: content.optional() });

const DIMENSIONS = 8;

/**
 * A model provider on the loopback: OpenAI's `POST /v1/chat/completions` and `POST /v1/embeddings`, Anthropic's `POST /v1/messages`, as their
 * API references describe them, errors included. Requests are met as told by {@link behave}, then well.
 */
export class ModelServer {
  readonly requests: ModelRequest[] = [];
  /** What a chat is answered; default: `Answer 1.`, `Answer 2.`, … */
  answer: (request: ModelRequest) => string | Promise<string> = () => `Answer ${this.requests.length}.`;
  /** The key a request must bring; unset: none is looked at. */
  key: string | undefined;
  #receiver: HttpReceiver | undefined;
  #next: ModelBehaviour[] = [];
  #always: ModelBehaviour = { kind: "answer" };

  async start(): Promise<void> {
    this.#receiver = await startReceiver((response, received) => {
      this.#meet(response, received);
    });
  }

  async stop(): Promise<void> {
    await this.#receiver?.close();
  }

  /** `http://127.0.0.1:<port>`: the base URL for Anthropic. */
  get url(): string {
    if (this.#receiver === undefined) throw new Error("the model server has not started");
    return this.#receiver.url;
  }

  /** The base URL for OpenAI: with `/v1`. */
  get openAiUrl(): string {
    return `${this.url}/v1`;
  }

  /** Says how the next requests are met, one each. */
  behave(...behaviours: readonly ModelBehaviour[]): void {
    this.#next.push(...behaviours);
  }

  /** Says how all requests are met that {@link behave} does not speak of. */
  behaveAlways(behaviour: ModelBehaviour): void {
    this.#always = behaviour;
  }

  #meet(response: ServerResponse, received: ReceivedRequest): void {
    const request = readRequest(received);
    if (request === undefined) {
      sendError(response, 404, "not_found_error", "no such path or a body that is not of its form");
      return;
    }
    this.requests.push(request);
    if (this.key !== undefined && keyOf(received) !== this.key) {
      sendError(response, 401, "authentication_error", `Incorrect API key provided: ${keyOf(received) ?? "none"}`);
      return;
    }
    void this.#follow(this.#next.shift() ?? this.#always, response, request);
  }

  async #follow(behaviour: ModelBehaviour, response: ServerResponse, request: ModelRequest): Promise<void> {
    if (behaviour.kind === "status") {
      const { status, headers = {}, body } = behaviour;
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
      if (body !== undefined) response.writeHead(status).end(body);
      else sendError(response, status, status === 429 ? "rate_limit_error" : "api_error", "told to fail in a test");
      return;
    }
    if (behaviour.kind === "hang" && behaviour.at === "headers") return;
    const isEmpty = behaviour.kind === "empty";
    const text =
      behaviour.kind === "answer" && behaviour.text !== undefined ? behaviour.text : await this.answer(request);
    const json = JSON.stringify(answerTo(request, isEmpty ? undefined : text));
    response.setHeader("content-type", "application/json");
    const half = json.slice(0, json.length / 2);
    if (behaviour.kind === "malformed") response.end(half);
    else if (behaviour.kind === "hang") response.write(half);
    else if (behaviour.kind === "cut") response.write(half, () => response.destroy());
    else response.end(json);
  }
}

function readRequest(received: ReceivedRequest): ModelRequest | undefined {
  if (received.method !== "POST") return undefined;
  const { path } = received;
  const json = (): unknown => JSON.parse(received.body);
  if (path === "/v1/embeddings") {
    const { data } = embeddingsBody.safeParse(json());
    return data && { path, model: data.model, texts: data.input, received, body: data };
  }
  if (path === "/v1/chat/completions" || (path === "/v1/messages" && "anthropic-version" in received.headers)) {
    const schema = path === "/v1/messages" ? messagesBody : chatBody;
    const { data } = schema.safeParse(json());
    const texts = data?.messages.map(
      ({ role, content: said }) =>
        `${role}: ${typeof said === "string" ? said : said.map(({ text }) => text).join("")}`,
    );
    return data && { path, model: data.model, texts: texts ?? [], received, body: data };
  }
  return undefined;
}

function keyOf({ headers }: ReceivedRequest): string | undefined {
  const own = headers["x-api-key"];
  return typeof own === "string" ? own : headers.authorization?.replace(/^Bearer /, "");
}

function sendError(response: ServerResponse, status: number, type: string, text: string): void {
  response.setHeader("content-type", "application/json");
  response.writeHead(status).end(JSON.stringify({ type: "error", error: { type, code: type, message: text } }));
}

/** Without a text: an answer of the right form with nothing in it. */
function answerTo(request: ModelRequest, text: string | undefined): object {
  const { path, model, texts } = request;
  const input = countWords(texts.join(" "));
  const output = countWords(text ?? "");
  if (path === "/v1/embeddings") {
    const isBase64 = request.body["encoding_format"] === "base64";
    const data = texts.map((each, index) => ({
      object: "embedding",
      index,
      embedding: isBase64 ? base64(vectorOf(each)) : vectorOf(each),
    }));
    return {
      object: "list",
      model,
      data: text === undefined ? [] : data,
      usage: { prompt_tokens: input, total_tokens: input },
    };
  }
  if (path === "/v1/messages") {
    const said = text === undefined ? [] : [{ type: "text", text }];
    const usage = { input_tokens: input, output_tokens: output };
    return {
      id: "msg_1",
      type: "message",
      role: "assistant",
      model,
      content: said,
      stop_reason: "end_turn",
      stop_sequence: null,
      usage,
    };
  }
  const choice = {
    index: 0,
    message: { role: "assistant", content: text, refusal: null },
    finish_reason: "stop",
    logprobs: null,
  };
  const usage = { prompt_tokens: input, completion_tokens: output, total_tokens: input + output };
  return {
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 1,
    model,
    choices: text === undefined ? [] : [choice],
    usage,
  };
}

function countWords(text: string): number {
  return text.split(/\s+/).filter((word) => word !== "").length;
}

/** The same for the same text, of length 1. */
function vectorOf(text: string): number[] {
  const vector = Array.from({ length: DIMENSIONS }, () => 0.001);
  for (const [index, byte] of Buffer.from(text).entries())
    vector[(byte + index) % DIMENSIONS] = (vector[(byte + index) % DIMENSIONS] ?? 0) + 1;
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

function base64(vector: readonly number[]): string {
  return Buffer.from(Float32Array.from(vector).buffer).toString("base64");
}
