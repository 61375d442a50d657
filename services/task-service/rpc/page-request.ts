import type { Violations } from "#task-service/rpc/violations.js";

const DEFAULT_PAGE_SIZE = 50;
const MAX_PAGE_SIZE = 1000;

/** A page ends early where it would be more bytes than this as protobuf. */
export const MAX_PAGE_BYTES = 2 * 1024 * 1024;

/** How many items a page has: what was asked for in `page_size`, 1,000 at most; 0 means 50. */
export function pageLimit(pageSize: number, violations: Violations): number {
  violations.expect(pageSize >= 0, "page_size", "must not be negative");
  return Math.min(pageSize || DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE);
}

/** What is asked for in `order_by` in one form: single spaces, and without `asc`, which is the default. */
export function plainOrder(orderBy: string): string {
  return orderBy.trim().replace(/\s+/g, " ").replace(/ asc$/, "");
}
