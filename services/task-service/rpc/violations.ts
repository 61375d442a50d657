import { invalidArgument, type FieldViolation } from "#libs/errors/taskwire-error.js";
import { isUuid } from "#libs/tasks/names.js";

/** Collects everything that is wrong with a request, so that a client learns it all at once. */
export class Violations {
  readonly #found: FieldViolation[] = [];

  /** Notes a violation unless `isRight`. `description` ends the sentence “FIELD …”. */
  expect(isRight: boolean, field: string, description: string): void {
    if (!isRight) this.#found.push({ field, description });
  }

  /** Throws INVALID_ARGUMENT if anything was noted. */
  throwIfAny(): void {
    if (this.#found.length > 0) throw invalidArgument(this.#found);
  }
}

/** Throws INVALID_ARGUMENT unless `id` is a UUID; returns it in the form it is stored in. */
export function requireTaskId(id: string, violations: Violations = new Violations()): string {
  violations.expect(isUuid(id), "id", id === "" ? "is required" : "must be a UUID");
  violations.throwIfAny();
  return id.toLowerCase();
}
