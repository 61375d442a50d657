const ESCAPED_LONE_SURROGATE = /(?<!\\)((?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g;

/**
 * JSON text without lone surrogates, which no protobuf string can carry: they become U+FFFD, in keys as well. Undefined: the value is no
 * JSON at all. Throws what `JSON.stringify` throws.
 */
export function jsonText(value: unknown): string | undefined {
  const text: string | undefined = JSON.stringify(value);
  return text?.includes("\\ud") === true ? text.replace(ESCAPED_LONE_SURROGATE, "$1\ufffd") : text;
}
