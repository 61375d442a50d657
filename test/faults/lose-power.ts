import {
  copyFileSync,
  closeSync,
  existsSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import type { FaultShim } from "#test/faults/fault-shim.js";

const SECTOR_BYTES = 512;
const HEADER_BYTES = 24;
const WRITE = 1;
const TRUNCATE = 2;
const UNLINK = 3;
const PENDING = ".pending";

/**
 * Leaves of the shim's database what a power loss would: everything that was synced, and of the rest nothing. With `survives`, each
 * 512-byte sector of an un-synced write, and each un-synced truncation or deletion, is asked for: a disk may have got to some of them
 * (torn writes, in any order). The process must be dead; it may be started again afterwards. `to`: writes there instead, and leaves the
 * database and the shadow as they are.
 */
export function losePower(shim: FaultShim, options: { survives?: () => boolean; to?: string } = {}): void {
  const { survives = () => false, to = shim.database } = options;
  const [folder, name] = [dirname(to), basename(to)];
  for (const file of readdirSync(folder)) if (file.startsWith(name)) rmSync(join(folder, file), { recursive: true });
  const shadow = readdirSync(shim.shadowDirectory);
  for (const file of new Set(shadow.map((entry) => entry.replace(/\.pending$/, "")))) {
    const copy = join(folder, name + file.slice(basename(shim.database).length));
    if (shadow.includes(file)) copyFileSync(join(shim.shadowDirectory, file), copy);
    const record = join(shim.shadowDirectory, file + PENDING);
    if (existsSync(record)) applySome(readFileSync(record), copy, survives);
  }
  // The next process begins with what is left: all of that is on the disk.
  if (to === shim.database) for (const file of shadow) rmSync(join(shim.shadowDirectory, file));
}

/** Applies the record of `shadow-files.c`, as far as `survives` says. */
function applySome(record: Buffer, path: string, survives: () => boolean): void {
  let at = 0;
  while (at + HEADER_BYTES <= record.length) {
    const kind = Number(record.readBigInt64LE(at));
    const offset = Number(record.readBigInt64LE(at + 8));
    const length = Number(record.readBigInt64LE(at + 16));
    at += HEADER_BYTES;
    const data = record.subarray(at, at + length);
    at += length;
    if (kind === WRITE) writeSectors(path, data, offset, survives);
    if (kind === TRUNCATE && survives()) inFile(path, (file) => ftruncateSync(file, offset));
    if (kind === UNLINK && survives()) rmSync(path, { force: true });
  }
}

function writeSectors(path: string, data: Buffer, offset: number, survives: () => boolean): void {
  for (let from = 0; from < data.length;) {
    const toNextSector = SECTOR_BYTES - ((offset + from) % SECTOR_BYTES);
    const sector = data.subarray(from, from + toNextSector);
    const position = offset + from;
    from += sector.length;
    if (survives()) inFile(path, (file) => writeSync(file, sector, 0, sector.length, position));
  }
}

function inFile(path: string, job: (file: number) => void): void {
  const file = openSync(path, existsSync(path) ? "r+" : "w+");
  try {
    job(file);
  } finally {
    closeSync(file);
  }
}
