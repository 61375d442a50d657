import type { ProseBlock } from "#worker/handlers/text-digest/document-prose.js";

/** Where a document came from: a file below the research folder, or a page that the search endpoint found. */
export type Origin = { readonly path: string } | { readonly url: string };

/** A document that may become a source. */
export interface SourceDocument {
  /** The path is relative to the research folder, with `/` between its parts. */
  readonly origin: Origin;
  readonly title: string;
  readonly blocks: readonly ProseBlock[];
}

/** Longest title of a source, characters. */
export const MAX_SOURCE_TITLE = 200;
