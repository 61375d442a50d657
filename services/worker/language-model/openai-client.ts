import type OpenAI from "openai";

/** Where a server that speaks OpenAI's protocol is. */
export interface OpenAiAccess {
  /** `/v1` included; empty: OpenAI's own. */
  readonly baseUrl: string;
  /** Empty: the server asks for none. */
  readonly apiKey: string;
}

const OPENAI_URL = "https://api.openai.com/v1";
/** The client insists on a key. */
const NO_KEY = "none";

/** The official client for one try: it neither tries again, nor logs, nor reads the environment for what settings say. Loaded when it is needed. */
export async function openAiClient(
  access: OpenAiAccess,
  fetch: typeof globalThis.fetch,
  timeoutMs: number,
): Promise<OpenAI> {
  const { default: Client } = await import("openai");
  return new Client({
    baseURL: access.baseUrl === "" ? OPENAI_URL : access.baseUrl,
    apiKey: access.apiKey === "" ? NO_KEY : access.apiKey,
    organization: null,
    project: null,
    maxRetries: 0,
    timeout: timeoutMs,
    logLevel: "off",
    fetch,
  });
}
