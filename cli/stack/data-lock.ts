import { open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";

/** Keeps a data directory to one process at a time. */
export interface DataLock {
  release(): Promise<void>;
}

/** Takes the directory for this process. Throws when another living process has it; the lock of a dead one is taken over. */
export async function lockDataDir(dataDir: string): Promise<DataLock> {
  const path = join(dataDir, "lock");
  for (;;) {
    try {
      const file = await open(path, "wx");
      await file.writeFile(`${process.pid}\n`);
      await file.close();
      return { release: () => rm(path, { force: true }) };
    } catch (error) {
      if (!isExistsError(error)) throw error;
    }
    const owner = Number(await readFile(path, "utf8").catch(() => ""));
    if (owner > 0 && isRunning(owner)) {
      throw new Error(
        `${dataDir} is in use by process ${owner}; stop that first, or use another directory (delete ${path} if that is no Taskwire)`,
      );
    }
    await rm(path, { force: true });
  }
}

function isExistsError(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EEXIST";
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
