import { z } from "zod";

/** A file that a handler wrote, whole. */
export const artifactResult = z.object({
  /** Absolute. */
  path: z.string(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.int().min(0),
});
