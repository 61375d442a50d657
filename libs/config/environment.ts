/** The process environment. The only place that reads it; everything else gets settings handed in. */
export function environment(): Readonly<Record<string, string | undefined>> {
  return process.env;
}
