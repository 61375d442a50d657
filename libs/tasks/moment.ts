/** What decisions need besides the task: time and chance, handed in so that they can be fixed. */
export interface Moment {
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  /** In [0, 1). */
  readonly random: () => number;
}
