import { SaxesParser } from "saxes";

/** The texts of all elements with one of these names, without their prefixes, in order. Throws for XML that is not well-formed. */
export function xmlTexts(xml: Buffer, names: readonly string[]): readonly string[] {
  const texts: string[] = [];
  let open: string | undefined;
  const parser = new SaxesParser();
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("opentag", ({ name }) => {
    if (names.includes(localName(name))) open = "";
  });
  parser.on("text", (text) => {
    if (open !== undefined) open += text;
  });
  parser.on("closetag", ({ name }) => {
    if (open === undefined || !names.includes(localName(name))) return;
    texts.push(open);
    open = undefined;
  });
  parser.write(new TextDecoder().decode(xml)).close();
  return texts;
}

/** A name without its prefix: `title` of `dc:title`. */
export function localName(name: string): string {
  return name.slice(name.indexOf(":") + 1);
}
