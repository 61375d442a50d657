import { readFileSync } from "node:fs";
import { deflateSync } from "node:zlib";
import { strToU8, unzipSync, zipSync } from "fflate";
import { documentFixture } from "#test/support/document-fixture.js";
import { documentSettings, type DocumentLimits } from "#worker/documents/document-settings.js";

/** The limits of documents by default, with some of them changed. */
export function documentLimits(changed: Partial<DocumentLimits> = {}): DocumentLimits {
  return {
    documentBytes: documentSettings.documentBytes.default,
    documentUnpackedBytes: documentSettings.documentUnpackedBytes.default,
    documentDocxBytes: documentSettings.documentDocxBytes.default,
    documentUnpackRatio: documentSettings.documentUnpackRatio.default,
    documentEntries: documentSettings.documentEntries.default,
    documentPages: documentSettings.documentPages.default,
    documentCharacters: documentSettings.documentCharacters.default,
    ...changed,
  };
}

/** A PDF of one page with nothing but a picture on it, as a scanner makes it. */
export function scannedPdf(): Buffer {
  const pixels = deflateSync(Buffer.alloc(64 * 64, 0x80));
  return pdf(
    Buffer.from("<</Length 34>>\nstream\nq 100 0 0 100 0 0 cm /Im0 Do Q   \nendstream"),
    Buffer.concat([
      Buffer.from(
        `<</Type/XObject/Subtype/Image/Width 64/Height 64/ColorSpace/DeviceGray/BitsPerComponent 8/Filter/FlateDecode/Length ${pixels.length}>>\nstream\n`,
      ),
      pixels,
      Buffer.from("\nendstream"),
    ]),
  );
}

/** A PDF whose page unpacks to so many bytes of nothing. */
export function pdfBomb(unpackedBytes: number): Buffer {
  const packed = deflateSync(Buffer.alloc(unpackedBytes, " "));
  return pdf(
    Buffer.concat([
      Buffer.from(`<</Length ${packed.length}/Filter/FlateDecode>>\nstream\n`),
      packed,
      Buffer.from("\nendstream"),
    ]),
    Buffer.from("null"),
  );
}

function pdf(contents: Buffer, image: Buffer): Buffer {
  const objects = [
    Buffer.from("<</Type/Catalog/Pages 2 0 R>>"),
    Buffer.from("<</Type/Pages/Kids[3 0 R]/Count 1>>"),
    Buffer.from("<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]/Contents 4 0 R/Resources<</XObject<</Im0 5 0 R>>>>>>"),
    contents,
    image,
  ];
  const parts = [Buffer.from("%PDF-1.4\n")];
  const offsets: number[] = [];
  let length = parts[0]?.length ?? 0;
  for (const [index, object] of objects.entries()) {
    offsets.push(length);
    const whole = Buffer.concat([Buffer.from(`${index + 1} 0 obj\n`), object, Buffer.from("\nendobj\n")]);
    parts.push(whole);
    length += whole.length;
  }
  const lines = offsets.map((offset) => `${String(offset).padStart(10, "0")} 00000 n \n`).join("");
  parts.push(
    Buffer.from(
      `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${lines}trailer\n<</Size ${objects.length + 1}/Root 1 0 R>>\nstartxref\n${length}\n%%EOF\n`,
    ),
  );
  return Buffer.concat(parts);
}

/** A packed sample with files added or replaced. */
export function repacked(fixture: string, files: Readonly<Record<string, Buffer | string>>, level: 0 | 6 = 6): Buffer {
  const all = unzipSync(readFileSync(documentFixture(fixture)));
  for (const [name, content] of Object.entries(files)) {
    all[name] = typeof content === "string" ? strToU8(content) : Uint8Array.from(content);
  }
  return Buffer.from(zipSync(all, { level }));
}

/** The same bytes with those at an offset replaced. */
export function patched(bytes: Buffer, offset: number, replacement: Buffer | readonly number[]): Buffer {
  const copy = Buffer.from(bytes);
  copy.set(replacement, offset);
  return copy;
}
