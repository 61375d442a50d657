import { errorMessage } from "#libs/errors/error-message.js";

/** What came of looking at one thing. */
export interface CheckResult {
  /** What was looked at: `NATS`, `database schema`. */
  readonly name: string;
  /** `unknown`: it could not be found out, because something else is wrong. */
  readonly status: "well" | "wrong" | "unknown";
  /** What was found. */
  readonly found: string;
  /** What to do about it; empty: nothing. */
  readonly advice: string;
}

/** It is as it should be. */
export function well(name: string, found: string): CheckResult {
  return { name, status: "well", found, advice: "" };
}

/** It is not. */
export function wrong(name: string, found: string, advice: string): CheckResult {
  return { name, status: "wrong", found, advice };
}

/** Nobody can tell. */
export function unknown(name: string, found: string): CheckResult {
  return { name, status: "unknown", found, advice: "" };
}

/** A check takes no longer than this and its error, whatever it is, becomes a result. */
export async function within(
  name: string,
  timeoutMs: number,
  look: () => Promise<readonly CheckResult[]>,
): Promise<readonly CheckResult[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<readonly CheckResult[]>((resolve) => {
    timer = setTimeout(() => {
      resolve([unknown(name, `no answer within ${timeoutMs} ms`)]);
    }, timeoutMs);
  });
  try {
    return await Promise.race([look(), late]);
  } catch (error) {
    return [unknown(name, errorMessage(error))];
  } finally {
    clearTimeout(timer);
  }
}

/** A number of bytes for people. */
export function bytesText(bytes: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  const power = bytes < 1024 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${Number((bytes / 1024 ** power).toFixed(1))} ${units[power]}`;
}
