import { PermanentError, type RetryableError } from "#libs/define-task/define-task.js";
import { readFolder } from "#worker/handlers/research-run/read-folder.js";
import { researchFolder } from "#worker/handlers/research-run/research-folder.js";
import { isSearchFailure, searchEndpoint, type SearchSettings } from "#worker/handlers/research-run/search-endpoint.js";
import type { SourceDocument } from "#worker/handlers/research-run/source-document.js";
import type { HandlerSettings } from "#worker/handlers/handler-settings.js";

/** Where to look. */
export interface GatherOrder {
  readonly folder: string | undefined;
  /** Whether the search endpoint is asked, if there is one. */
  readonly search: boolean;
  readonly questions: readonly string[];
  /** Documents that each question asks the endpoint for. */
  readonly limit: number;
}

/** What was found. */
export interface GatheredDocuments {
  readonly documents: readonly SourceDocument[];
  /** Files that could not be used. */
  readonly skippedFiles: number;
  /** Whether a bound left files out. */
  readonly isCut: boolean;
  /** Why the endpoint gave less than it was asked for. */
  readonly searchFailure: RetryableError | undefined;
}

/**
 * Reads the research folder, then asks the search endpoint each question. Its failure is part of the answer, because the folder may do.
 * Rejects as `researchFolder` and `readFolder` do; with PermanentError `NO_SOURCES` when there is neither folder nor endpoint.
 */
export async function gatherDocuments(
  order: GatherOrder,
  settings: HandlerSettings,
  signal: AbortSignal,
): Promise<GatheredDocuments> {
  const folder = await researchFolder(order.folder, settings.researchFolder);
  const isSearched = order.search && settings.researchSearchUrl !== "";
  if (folder === undefined && !isSearched) {
    throw new PermanentError("NO_SOURCES", "neither a folder nor a search endpoint is given");
  }
  const read =
    folder === undefined ? { documents: [], skipped: 0, isCut: false } : await readFolder(folder, settings, signal);
  const found = isSearched ? await search(order, settings, signal) : { documents: [], failure: undefined };
  return {
    documents: [...read.documents, ...found.documents],
    skippedFiles: read.skipped,
    isCut: read.isCut,
    searchFailure: found.failure,
  };
}

async function search(
  { questions, limit }: GatherOrder,
  settings: SearchSettings,
  signal: AbortSignal,
): Promise<{ readonly documents: readonly SourceDocument[]; readonly failure: RetryableError | undefined }> {
  const byUrl = new Map<string, SourceDocument>();
  try {
    for (const question of questions) {
      for (const document of await searchEndpoint(question, limit, settings, signal)) {
        const url = "url" in document.origin ? document.origin.url : "";
        if (!byUrl.has(url)) byUrl.set(url, document);
      }
    }
  } catch (error) {
    if (!isSearchFailure(error)) throw error;
    return { documents: [...byUrl.values()], failure: error };
  }
  return { documents: [...byUrl.values()], failure: undefined };
}
