import { z } from "zod";

const researchResult = z.object({
  status: z.string(),
  report: z.string(),
  sessionId: z.string(),
  query: z.string(),
  sources: z.array(
    z.object({
      path: z.string().optional(),
      url: z.string().optional(),
      title: z.string(),
      score: z.number(),
      excerpt: z.string(),
    }),
  ),
  provider: z.string(),
  model: z.string(),
  usage: z.object({ inputTokens: z.number(), outputTokens: z.number() }),
});

/** What a `research.run` returned. Throws when it is of another form. */
export function researchResultOf(value: unknown): z.infer<typeof researchResult> {
  return researchResult.parse(value);
}
