/** The environment variable that tells handlers where their effect journal is. */
export const JOURNAL_VARIABLE = "ROBUSTNESS_JOURNAL";
