import { oneLine } from "#worker/handlers/research-run/one-line.js";
import { documentProse, type DocumentFormat, type ProseBlock } from "#worker/handlers/text-digest/document-prose.js";

/** Where a document came from: a file below the research folder, or a page that the search endpoint found. */
export type Origin = { readonly path: string } | { readonly url: string };

/** A document that may become a source. */
export interface SourceDocument {
  /** The path is relative to the research folder, with `/` between its parts. */
  readonly origin: Origin;
  /** At most 200 characters. */
  readonly title: string;
  readonly blocks: readonly ProseBlock[];
}

const MAX_TITLE_CHARACTERS = 200;

/** Takes a document apart. Its title is the one given, else its first heading, else its file's name. */
export function sourceDocument(
  origin: Origin,
  loaded: {
    readonly text: string;
    readonly format: DocumentFormat;
    readonly title: string | undefined;
    readonly fileName?: string | undefined;
  },
): SourceDocument {
  const blocks = documentProse(loaded.text, loaded.format);
  const heading = blocks.find(({ depth }) => depth === 1) ?? blocks.find(({ kind }) => kind === "heading");
  const title = loaded.title ?? heading?.text ?? loaded.fileName ?? "";
  return { origin, title: oneLine(title, MAX_TITLE_CHARACTERS), blocks };
}
