/** The process environment. The only place that reads it; everything else gets settings handed in. */
export function environment(): Readonly<Record<string, string | undefined>> {
  return process.env;
}

/** Makes values count for this process and the children it starts from now on, as if the environment had had them; undefined: unset. */
export function extendEnvironment(values: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
  }
}
