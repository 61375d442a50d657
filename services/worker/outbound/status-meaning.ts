/** Statuses below 500 that may pass by themselves: Request Timeout and Too Many Requests. */
const PASSING: readonly number[] = [408, 429];

/** What the status of an answer means: `good` (200–299), `refused` for good (400–499 but 408 and 429), `passing` (all others). */
export function statusMeaning(status: number): "good" | "refused" | "passing" {
  if (status >= 200 && status < 300) return "good";
  return status >= 400 && status < 500 && !PASSING.includes(status) ? "refused" : "passing";
}
