import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import Sqlite from "better-sqlite3";

const PAGE_BYTES = 4096;

/** Puts damaged pages back. */
export interface Damage {
  readonly repair: () => void;
}

/**
 * Overwrites every page of a file that holds `marker` with noise that is no page of a database. Returns what puts them back. The text must
 * be in the file itself: stop the service first, so that it empties its write-ahead log.
 */
export function damagePages(path: string, marker: string): Damage {
  const whole = readFileSync(path);
  const pages = new Set<number>();
  for (let at = whole.indexOf(marker); at >= 0; at = whole.indexOf(marker, at + 1))
    pages.add(Math.floor(at / PAGE_BYTES));
  if (pages.size === 0) throw new Error(`no page of ${path} holds ${marker}`);
  return damage(path, whole, pages);
}

/** As {@link damagePages}, every page of a table or an index. */
export function damageTree(path: string, name: string): Damage {
  const database = new Sqlite(path, { readonly: true });
  const rows = database.prepare<[string], { page: number }>("select pageno - 1 as page from dbstat where name = ?");
  const pages = new Set(rows.all(name).map(({ page }) => page));
  database.close();
  if (pages.size === 0) throw new Error(`${path} has no ${name}`);
  return damage(path, readFileSync(path), pages);
}

function damage(path: string, whole: Buffer, pages: ReadonlySet<number>): Damage {
  const write = (bytesOf: (page: number) => Buffer) => {
    const file = openSync(path, "r+");
    for (const page of pages) writeSync(file, bytesOf(page), 0, PAGE_BYTES, page * PAGE_BYTES);
    closeSync(file);
  };
  write(() => Buffer.alloc(PAGE_BYTES, 0xa5));
  return {
    repair: () => {
      write((page) => whole.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES));
    },
  };
}
