import type { Setting } from "#libs/config/settings.js";

interface Described {
  readonly env: string;
  readonly doc: string;
}

/** A whole number in [min, max]. */
export function wholeNumber(
  options: Described & { default: number; min: number; max: number; unit?: string },
): Setting<number> {
  const allowed = `${options.min}–${options.max}`;
  return {
    env: options.env,
    doc: options.doc,
    default: options.default,
    allowed,
    ...(options.unit === undefined ? {} : { unit: options.unit }),
    parse: (text) => {
      const value = Number(text);
      if (!/^-?\d+$/.test(text.trim()) || value < options.min || value > options.max) {
        throw new Error(`it must be a whole number in ${allowed}`);
      }
      return value;
    },
  };
}

/** Any text, optionally one that matches a pattern. */
export function text(
  options: Described & { default: string; allowed: string; pattern?: RegExp; secret?: boolean },
): Setting<string> {
  return {
    env: options.env,
    doc: options.doc,
    default: options.default,
    allowed: options.allowed,
    ...(options.secret === undefined ? {} : { secret: options.secret }),
    parse: (value) => {
      if (options.pattern !== undefined && !options.pattern.test(value))
        throw new Error(`it must be ${options.allowed}`);
      return value;
    },
  };
}

/** Texts separated by commas. */
export function textList(
  options: Described & { default: readonly string[]; allowed: string; pattern?: RegExp },
): Setting<readonly string[]> {
  return {
    env: options.env,
    doc: options.doc,
    default: options.default,
    allowed: options.allowed,
    parse: (value) => {
      const items = value
        .split(",")
        .map((item) => item.trim())
        .filter((item) => item !== "");
      const wrong = items.find((item) => options.pattern !== undefined && !options.pattern.test(item));
      if (wrong !== undefined) throw new Error(`${JSON.stringify(wrong)} is not ${options.allowed}`);
      return items;
    },
  };
}

/** One of a few words. */
export function oneOf<T extends string>(options: Described & { default: T; values: readonly T[] }): Setting<T> {
  return {
    env: options.env,
    doc: options.doc,
    default: options.default,
    allowed: options.values.map((value) => `\`${value}\``).join(", "),
    parse: (value) => {
      const found = options.values.find((allowed) => allowed === value);
      if (found === undefined) throw new Error(`it must be one of ${options.values.join(", ")}`);
      return found;
    },
  };
}

/** `true` or `false`. */
export function toggle(options: Described & { default: boolean }): Setting<boolean> {
  return {
    env: options.env,
    doc: options.doc,
    default: options.default,
    allowed: "`true`, `false`",
    parse: (value) => {
      if (value !== "true" && value !== "false") throw new Error("it must be true or false");
      return value === "true";
    },
  };
}
