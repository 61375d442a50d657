import { setImmediate as nextTurn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { PDFDocumentProxy, PDFPageProxy } from "pdfjs-dist/legacy/build/pdf.mjs";
import type { ExtractOptions, ReadText } from "#worker/documents/read-document.js";
import { PermanentError } from "#libs/define-task/define-task.js";
import { invalidFile } from "#worker/documents/invalid-file.js";

/** Where a PDF's end mark stands (ISO 32000-1, annex H, implementation note 18). */
const END_MARK_WITHIN = 1024;

/**
 * Reads the text of a PDF page by page, with `pdfjs-dist`. A file without its end mark is taken for truncated, though a reader might
 * repair it. One page, or one packed stream, cannot be interrupted: time and memory limits of the handler's process bound it.
 *
 * Throws `INVALID_FILE` (`truncated`, `damaged`, `encrypted`, `too_many_pages`, `too_much_text`), or the signal's reason.
 */
export async function readPdf(bytes: Buffer, options: ExtractOptions): Promise<ReadText> {
  refuseTruncated(bytes);
  const { signal, limits } = options;
  const pdf = await openPdf(bytes);
  try {
    signal.throwIfAborted();
    if (pdf.numPages > limits.documentPages) {
      throw invalidFile(
        "too_many_pages",
        `the PDF has ${pdf.numPages} pages; at most ${limits.documentPages} are read`,
      );
    }
    const pages: string[] = [];
    let characters = 0;
    for (let number = 1; number <= pdf.numPages; number += 1) {
      const text = await pageText(await pdf.getPage(number));
      await nextTurn();
      signal.throwIfAborted();
      pages.push(text);
      characters += text.length;
      if (characters > limits.documentCharacters) {
        throw invalidFile(
          "too_much_text",
          `the first ${number} pages have ${characters} characters; at most ${limits.documentCharacters} are taken`,
        );
      }
      options.onPage?.(number, pdf.numPages);
    }
    const title = await titleOf(pdf);
    return { text: pages.join("\n\n"), pages: pdf.numPages, ...(title === undefined ? {} : { title }) };
  } catch (error) {
    throw isOwn(error, signal) ? error : damaged(error);
  } finally {
    await pdf.loadingTask.destroy();
  }
}

async function openPdf(bytes: Buffer): Promise<PDFDocumentProxy> {
  // pdf.js makes one when it is loaded, for drawing. Where its optional canvas package is missing there is none.
  Reflect.set(globalThis, "DOMMatrix", Reflect.get(globalThis, "DOMMatrix") ?? class {});
  const { getDocument, VerbosityLevel } = await import("pdfjs-dist/legacy/build/pdf.mjs");
  const folder = (name: string) => fileURLToPath(new URL(`${name}/`, import.meta.resolve("pdfjs-dist/package.json")));
  const loading = getDocument({
    // pdf.js takes the memory away from whoever hands it over.
    data: new Uint8Array(bytes),
    cMapUrl: folder("cmaps"),
    cMapPacked: true,
    standardFontDataUrl: folder("standard_fonts"),
    disableFontFace: true,
    useSystemFonts: false,
    isEvalSupported: false,
    enableXfa: false,
    verbosity: VerbosityLevel.ERRORS,
  });
  try {
    return await loading.promise;
  } catch (error) {
    await loading.destroy();
    if (error instanceof Error && error.name === "PasswordException") {
      throw invalidFile("encrypted", "the PDF is protected by a password", { cause: error });
    }
    throw damaged(error);
  }
}

async function pageText(page: PDFPageProxy): Promise<string> {
  try {
    const { items } = await page.getTextContent();
    return items.map((item) => ("str" in item ? item.str + (item.hasEOL ? "\n" : "") : "")).join("");
  } finally {
    page.cleanup();
  }
}

async function titleOf(pdf: PDFDocumentProxy): Promise<string | undefined> {
  const { info } = await pdf.getMetadata();
  const title: unknown = Reflect.get(info, "Title");
  return typeof title === "string" ? title : undefined;
}

function refuseTruncated(bytes: Buffer): void {
  let end = bytes.length;
  while (
    end > 0 &&
    (bytes[end - 1] === 0 || bytes[end - 1] === 0x20 || bytes[end - 1] === 0x0a || bytes[end - 1] === 0x0d)
  )
    end -= 1;
  if (!bytes.subarray(Math.max(0, end - END_MARK_WITHIN), end).includes("%%EOF")) {
    throw invalidFile("truncated", "the PDF has no end mark: it is not complete");
  }
}

function isOwn(error: unknown, signal: AbortSignal): boolean {
  return (signal.aborted && error === signal.reason) || error instanceof PermanentError;
}

function damaged(cause: unknown): Error {
  return invalidFile("damaged", "the PDF cannot be read: its structure is broken", { cause });
}
