import { maskCredentials } from "#libs/log/mask-credentials.js";

/** One setting: where it comes from, what it means, what it may be. */
export interface Setting<T> {
  /** Environment variable, for example `TASKWIRE_GRPC_PORT`. The command-line flag is derived: `--grpc-port`. */
  readonly env: string;
  /** What it means, one sentence. */
  readonly doc: string;
  readonly default: T;
  /** What is allowed, for people: `1–65535`, `a path`. */
  readonly allowed: string;
  readonly unit?: string;
  /** Printed as `***`, and no flag: other users of the machine see command lines. */
  readonly secret?: boolean;
  /** Returns the value, or throws an Error whose message ends the sentence “VALUE is not allowed: …”. */
  readonly parse: (text: string) => T;
}

/** Settings by the name they have in code. */
export type Schema = Readonly<Record<string, Setting<unknown>>>;

/** The values of a schema. */
export type Settings<S extends Schema> = { readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never };

/** Every problem of a configuration at once. The process ends with exit code 78. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  constructor(readonly problems: readonly string[]) {
    super(
      `The configuration has ${problems.length === 1 ? "a problem" : `${problems.length} problems`}:\n  ${problems.join("\n  ")}`,
    );
  }
}

/** `EX_CONFIG` of sysexits.h: the exit code of a process whose configuration is wrong. */
export const CONFIG_EXIT_CODE = 78;

/** The command-line flag of a setting: `TASKWIRE_GRPC_PORT` is `--grpc-port`. */
export function flagOf(setting: Setting<unknown>): string {
  return `--${setting.env
    .replace(/^TASKWIRE_/, "")
    .toLowerCase()
    .replaceAll("_", "-")}`;
}

/**
 * Reads settings from the command line (by flag name without dashes), then the environment, then defaults. Returns a frozen object.
 * Throws a {@link ConfigError} with every problem, those of `check` included, which sees the default of a setting that is not allowed.
 */
export function readSettings<S extends Schema>(
  schema: S,
  sources: { flags?: Readonly<Record<string, string | undefined>>; env: Readonly<Record<string, string | undefined>> },
  check?: (values: Settings<S>) => readonly string[],
): Settings<S> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(schema)) {
    const flag = flagOf(setting);
    const fromFlag = sources.flags?.[flag.slice(2)];
    const text = fromFlag ?? sources.env[setting.env];
    if (text === undefined || text === "") {
      values[name] = setting.default;
      continue;
    }
    try {
      values[name] = setting.parse(text);
    } catch (error) {
      values[name] = setting.default;
      const shown = setting.secret === true ? "***" : JSON.stringify(maskCredentials(text));
      const source = fromFlag === undefined ? setting.env : flag;
      problems.push(`${source}=${shown} is not allowed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const settings = Object.freeze(values) as Settings<S>;
  if (check !== undefined) problems.push(...check(settings));
  if (problems.length > 0) throw new ConfigError(problems);
  return settings;
}

/** The environment variables that give these values: {@link readSettings} reads the same ones back from it. */
export function asEnvironment<S extends Schema>(schema: S, values: Settings<S>): Record<string, string> {
  return Object.fromEntries(Object.entries(schema).map(([name, { env }]) => [env, String(values[name])]));
}

/** The values as they may be logged: secrets as `***`. */
export function printable<S extends Schema>(schema: S, values: Settings<S>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(schema).map(([name, setting]) => [
      name,
      setting.secret === true && values[name] ? "***" : values[name],
    ]),
  );
}
