import { setImmediate as nextTurn } from "node:timers/promises";
import { SaxesParser } from "saxes";
import type { ExtractOptions, ReadText } from "#worker/documents/read-document.js";
import { invalidFile } from "#worker/documents/invalid-file.js";
import { readArchive } from "#worker/documents/read-archive.js";
import { localName, xmlTexts } from "#worker/documents/xml-texts.js";

const SECTION = /^Contents\/section(\d+)\.xml$/i;
const PACKAGE = "Contents/content.hpf";
const MANIFEST = "META-INF/manifest.xml";

/** Elements whose paragraphs are not part of the running text. */
const APART = new Set(["header", "footer", "hiddenComment"]);
/** Empty elements within a text that stand for a character. */
const CHARACTERS: Readonly<Record<string, string>> = {
  lineBreak: "\n",
  tab: "\t",
  nbSpace: "\u00A0",
  fwSpace: " ",
  hyphen: "-",
};

/**
 * Reads the text of an HWPX document (OWPML, Korean standard KS X 6101): the paragraphs of its sections in order, those of tables, text
 * boxes and notes where they are anchored; no headers, footers, hidden comments and equations.
 *
 * Throws `INVALID_FILE` as `readArchive` does, `encrypted`, and `damaged` for missing sections or XML that cannot be read; or the
 * signal's reason.
 */
export async function readHwpx(bytes: Buffer, { signal, limits }: ExtractOptions): Promise<ReadText> {
  const wanted = (name: string) => SECTION.test(name) || name === PACKAGE || name === MANIFEST;
  const parts = await readArchive(bytes, { signal, limits, maxBytes: limits.documentUnpackedBytes, wanted });
  if (parts.get(MANIFEST)?.includes("encryption-data") === true) {
    throw invalidFile("encrypted", "the HWPX document is protected by a password");
  }
  const sections = [...parts]
    .map(([name, xml]) => ({ number: Number(SECTION.exec(name)?.[1] ?? Number.NaN), xml }))
    .filter(({ number }) => !Number.isNaN(number))
    .sort((a, b) => a.number - b.number);
  if (sections.length === 0) throw invalidFile("damaged", "the HWPX document has no sections");
  try {
    const texts: string[] = [];
    for (const { xml } of sections) {
      await nextTurn();
      signal.throwIfAborted();
      texts.push(sectionText(xml));
    }
    const properties = parts.get(PACKAGE);
    const title = properties === undefined ? undefined : xmlTexts(properties, ["title"])[0];
    return { text: texts.join("\n\n"), ...(title === undefined ? {} : { title }) };
  } catch (error) {
    if (signal.aborted) throw error;
    throw invalidFile("damaged", "the HWPX document cannot be read: its XML is broken", { cause: error });
  }
}

function sectionText(xml: Buffer): string {
  const paragraphs: string[] = [];
  let line = "";
  let inText = 0;
  let apart = 0;
  let deleted = false;
  const endParagraph = () => {
    if (line.trim() !== "") paragraphs.push(line);
    line = "";
  };
  const parser = new SaxesParser();
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("opentag", ({ name }) => {
    const local = localName(name);
    if (APART.has(local)) apart += 1;
    else if (local === "p") endParagraph();
    else if (local === "t") inText += 1;
    else if (local === "deleteBegin") deleted = true;
    else if (local === "deleteEnd") deleted = false;
    else if (inText > 0 && apart === 0) line += CHARACTERS[local] ?? "";
  });
  parser.on("text", (text) => {
    if (inText > 0 && apart === 0 && !deleted) line += text;
  });
  parser.on("closetag", ({ name }) => {
    const local = localName(name);
    if (APART.has(local)) apart -= 1;
    else if (local === "p") endParagraph();
    else if (local === "t") inText -= 1;
  });
  parser.write(new TextDecoder().decode(xml)).close();
  return paragraphs.join("\n\n");
}
