import { environment } from "#libs/config/environment.js";

/** Sets variables of this process, which handlers read their settings from; undefined unsets one. Returns how to put the old values back. */
export function setEnvironment(values: Readonly<Record<string, string | undefined>>): () => void {
  const variables = environment() as Record<string, string | undefined>;
  const apply = (entries: readonly (readonly [string, string | undefined])[]) => {
    for (const [name, value] of entries) {
      if (value === undefined) delete variables[name];
      else variables[name] = value;
    }
  };
  const before = Object.keys(values).map((name) => [name, variables[name]] as const);
  apply(Object.entries(values));
  return () => apply(before);
}
