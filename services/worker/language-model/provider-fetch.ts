import type { Agent } from "undici";

/** What became of the latest request of a {@link ProviderFetch}. */
export interface ProviderExchange {
  /** Unset: there was no answer. */
  readonly status?: number;
  readonly retryAfter?: string | undefined;
  readonly failure?: unknown;
}

/** Longest answer of a provider, bytes. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

/**
 * A `fetch` for the providers' clients, with a limit of its own on the time until a connection is there, TLS included; `undici` gives none to
 * the one of Node.js. Redirects come back as they are: nothing goes, key and all, to an address that is not in the settings.
 */
export class ProviderFetch {
  readonly #connectTimeoutMs: number;
  #agent: Agent | undefined;
  #latest: ProviderExchange | undefined;

  constructor(connectTimeoutMs: number) {
    this.#connectTimeoutMs = connectTimeoutMs;
  }

  /** The latest request; undefined: none was sent. */
  get latest(): ProviderExchange | undefined {
    return this.#latest;
  }

  readonly fetch: typeof fetch = async (input, init = {}) => {
    const { method = "GET", body, signal } = init;
    if (body !== undefined && body !== null && typeof body !== "string") throw new TypeError("only texts are sent");
    const headers = [...new Headers(init.headers)];
    const url = input instanceof Request ? input.url : input;
    // Loaded when it is needed: most isolates never call a provider.
    const { Agent, fetch: send } = await import("undici");
    this.#agent ??= new Agent({
      connect: { timeout: this.#connectTimeoutMs },
      headersTimeout: 0,
      bodyTimeout: 0,
      maxResponseSize: MAX_ANSWER_BYTES,
    });
    this.#latest = {};
    try {
      const options = { method, headers, body: body ?? null, signal: signal ?? null };
      const response = await send(url, { ...options, dispatcher: this.#agent, redirect: "manual" });
      const { status, statusText } = response;
      this.#latest = { status, retryAfter: response.headers.get("retry-after") ?? undefined };
      return new Response(response.body, { status, statusText, headers: [...response.headers] });
    } catch (failure) {
      this.#latest = { failure };
      throw failure;
    }
  };

  /** Ends its connections. */
  async close(): Promise<void> {
    await this.#agent?.destroy();
  }
}
