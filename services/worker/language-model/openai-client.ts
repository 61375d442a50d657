import type OpenAI from "openai";
import { NO_KEY, type ProviderAccess } from "#worker/language-model/call-provider.js";

const OPENAI_URL = "https://api.openai.com/v1";

/** The official client for one try, of a server whose address has `/v1` in it: it neither tries again, nor logs, nor reads the environment for what settings say. Loaded when it is needed. */
export async function openAiClient(
  access: ProviderAccess,
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
