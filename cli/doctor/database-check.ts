import { accessSync, constants, existsSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { errorMessage } from "#libs/errors/error-message.js";
import { bytesText, type CheckResult, unknown, well, wrong } from "#cli/doctor/check.js";

const MIN_FREE_BYTES = 512 * 1024 * 1024;
/** SQLite starts the log anew after some 16 MiB; it grows beyond that only while a reader does not let go. */
const MAX_WAL_BYTES = 512 * 1024 * 1024;

/** Looks at the database file and the disk it is on. Changes nothing. */
export async function checkDatabase(path: string): Promise<readonly CheckResult[]> {
  if (!existsSync(path)) {
    const advice =
      "a task-service makes it at its first start; if it has been there, correct TASKWIRE_DATABASE (or --database) or restore a backup";
    return [wrong("database", `${path} is not there`, advice)];
  }
  return [...checkAccess(path), checkSpace(path), ...(await checkContent(path))];
}

function checkAccess(path: string): CheckResult[] {
  // SQLite makes its write-ahead log beside the file, so the folder must be writable too.
  return [path, dirname(path)].flatMap((place) => {
    try {
      accessSync(place, constants.R_OK | constants.W_OK);
      return [];
    } catch (error) {
      const advice = "give the user of the task-service the right to write, or mount the file system writable";
      return [wrong("database access", `${place} cannot be written: ${errorMessage(error)}`, advice)];
    }
  });
}

function checkSpace(path: string): CheckResult {
  const { bavail, bsize } = statfsSync(dirname(path));
  const freeBytes = bavail * bsize;
  const found = `${bytesText(freeBytes)} free`;
  if (freeBytes >= MIN_FREE_BYTES) return well("database disk", found);
  return wrong("database disk", found, "make room, or shorten TASKWIRE_RETENTION_HOURS: a full disk refuses new tasks");
}

async function checkContent(path: string): Promise<CheckResult[]> {
  // Loaded here, so that the doctor starts where the database's library does not.
  const { readDatabaseFacts } = await import("#task-service/database-facts.js");
  try {
    const { sizeBytes, walBytes, schemaVersion, pending, damage } = readDatabaseFacts(path);
    return [
      well("database", `${path}, ${bytesText(sizeBytes)}`),
      pending.length === 0
        ? well("database schema", `${schemaVersion}, the one of this version`)
        : wrong(
            "database schema",
            `${schemaVersion}, ${pending.join(", ")} has not run`,
            "restart the task-service with this version",
          ),
      damage.length === 0
        ? well("database check", "SQLite's quick check finds nothing")
        : wrong(
            "database check",
            damage[0] ?? "damaged",
            "stop the task-service, run `taskwire verify`, restore a backup",
          ),
      walBytes <= MAX_WAL_BYTES
        ? well("database log", `${bytesText(walBytes)} of write-ahead log`)
        : wrong(
            "database log",
            `${bytesText(walBytes)} of write-ahead log`,
            "end programs that keep the database open for reading",
          ),
    ];
  } catch (error) {
    const message = errorMessage(error);
    const isBroken = /malformed|not a database/.test(message);
    if (isBroken) return [wrong("database check", message, "stop the task-service and restore a backup")];
    return [
      wrong("database", `${path} cannot be read: ${message}`, "see what it says"),
      unknown("database schema", message),
    ];
  }
}
