import Sqlite from "better-sqlite3";

/** A process that commits rows to a plain database with a given `synchronous`, and tells its parent the number of each that was committed. */
function main(path: string, synchronous: string): void {
  const database = new Sqlite(path);
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = FULL");
  database.exec("create table if not exists rows (number integer primary key)");
  database.pragma(`synchronous = ${synchronous}`);
  const insert = database.prepare<[number]>("insert into rows values (?)");
  const next = (number: number) => {
    insert.run(number);
    process.send?.(number, () => {
      next(number + 1);
    });
  };
  next((database.prepare<[], number>("select coalesce(max(number), 0) from rows").pluck().get() ?? 0) + 1);
}

main(process.argv[2] ?? "", process.argv[3] ?? "");
