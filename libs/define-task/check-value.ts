import type { StandardSchemaV1 } from "@standard-schema/spec";
import { cutText } from "#libs/errors/error-message.js";

/** One thing a schema does not like. */
export interface ValueIssue {
  /** Where, for example `documents.3.path`; empty: the value itself. */
  readonly path: string;
  readonly message: string;
}

/** A value as the schema returns it, or what is wrong with it (at most 20 issues). */
export type CheckedValue =
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly issues: readonly ValueIssue[] };

const MAX_ISSUES = 20;
const MAX_ISSUE_CHARACTERS = 200;

/** Checks a value against a Standard Schema. Answers at once unless the schema itself is asynchronous. */
export function checkValue(schema: StandardSchemaV1, value: unknown): CheckedValue | Promise<CheckedValue> {
  const checked = schema["~standard"].validate(value);
  return checked instanceof Promise ? checked.then(toChecked) : toChecked(checked);
}

function toChecked(result: StandardSchemaV1.Result<unknown>): CheckedValue {
  if (result.issues === undefined) return { ok: true, value: result.value };
  const issues = result.issues.slice(0, MAX_ISSUES).map((issue) => ({
    path: cutText(
      (issue.path ?? []).map((part) => String(typeof part === "object" ? part.key : part)).join("."),
      MAX_ISSUE_CHARACTERS,
    ),
    message: cutText(issue.message, MAX_ISSUE_CHARACTERS),
  }));
  return { ok: false, issues };
}

/** The issues as one sentence. */
export function issueSentence(issues: readonly ValueIssue[]): string {
  return issues.map((issue) => (issue.path === "" ? issue.message : `${issue.path}: ${issue.message}`)).join("; ");
}
