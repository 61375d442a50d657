import { randomUUID } from "node:crypto";

let millisecond = 0;
let timePart = "";

/** A new UUIDv7, from pooled randomness because every create needs one. */
export function newRequestId(): string {
  const now = Date.now();
  if (now !== millisecond) {
    millisecond = now;
    const hex = now.toString(16).padStart(12, "0");
    timePart = `${hex.slice(0, 8)}-${hex.slice(8)}-7`;
  }
  return timePart + randomUUID().slice(15);
}
