import { oneOf, text, wholeNumber } from "#libs/config/setting-kinds.js";
import type { Schema } from "#libs/config/settings.js";

/** Settings of `research.run`. */
export const researchSettings = {
  researchFolder: text({
    env: "TASKWIRE_RESEARCH_FOLDER",
    doc: "Where the documents of `research.run` are. When set, a payload can name only this folder and those within it.",
    default: "",
    allowed: "a path",
  }),
  researchSearchUrl: text({
    env: "TASKWIRE_RESEARCH_SEARCH_URL",
    doc: "A search endpoint that `research.run` asks for more sources; none is asked unless it is set. Its address may be a private one.",
    default: "",
    allowed: "a URL of http or https",
    pattern: /^(https?:\/\/[^\s]+)?$/,
  }),
  researchSearchKey: text({
    env: "TASKWIRE_RESEARCH_SEARCH_KEY",
    doc: "The key of the search endpoint, sent as a bearer token.",
    default: "",
    allowed: "a key",
    pattern: /^[\x21-\x7e]*$/,
    secret: true,
  }),
  researchSearchMethod: oneOf<"GET" | "POST">({
    env: "TASKWIRE_RESEARCH_SEARCH_METHOD",
    doc: "How the search endpoint is asked: `POST` sends `query` and `limit` as a JSON object, `GET` as parameters of the URL.",
    default: "POST",
    values: ["GET", "POST"],
  }),
  researchSearchTimeoutMs: wholeNumber({
    env: "TASKWIRE_RESEARCH_SEARCH_TIMEOUT_MS",
    doc: "Time in which the search endpoint must have answered in full.",
    default: 10_000,
    min: 10,
    max: 600_000,
    unit: "ms",
  }),
} satisfies Schema;
