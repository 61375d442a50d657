import { closeSync, mkdirSync, openSync, readSync, writeFileSync, writeSync } from "node:fs";
import { constants } from "node:os";
import { join, resolve } from "node:path";
import { compileFaultShim, whyNoFaultShim } from "#test/faults/compile-fault-shim.js";

/** The numbers of the control file, in the order of `fault-shim.h`. */
const NUMBERS = [
  "writeError",
  "onlyGrowth",
  "fsyncError",
  "readError",
  "openError",
  "fsyncDelayMs",
  "clockOffsetMs",
  "fsyncsUnderWay",
  "faultsGiven",
] as const;
type Name = (typeof NUMBERS)[number];

const BYTES = 8;
const { ENOSPC, EIO, EROFS } = constants.errno;

/** What a {@link FaultShim} works on. */
export interface FaultShimOptions {
  /** An own directory; made if missing. Whoever made it removes it. */
  readonly directory: string;
  /** The database file. Its faults also hit every file beside it whose name begins like it (`-wal`, `-shm`, `.lock`). Default: no files. */
  readonly database?: string;
  /** Whether to keep what would survive a power loss; default false. Costs a second write of everything. */
  readonly keepsShadow?: boolean;
}

/**
 * Makes the disk and the clock of child processes misbehave. Give {@link env} to the child at its start; everything else may be switched
 * while it runs, and counts for all processes that were given the same `env`, also after a restart. All faults are off at first.
 */
export class FaultShim {
  /** Needs Linux and a C compiler; see {@link whyNoFaultShim} for the words. */
  static readonly isSupported = whyNoFaultShim() === undefined;

  /** Variables of the child's environment, for example as `serviceEnv` or `workerEnv` of a test stack. */
  readonly env: Readonly<Record<string, string>>;
  /** Holds what was synced, file by file; see `lose-power.ts`. */
  readonly shadowDirectory: string;
  /** The absolute path of the database, or "". */
  readonly database: string;
  readonly #control: number;

  constructor({ directory, database, keepsShadow = false }: FaultShimOptions) {
    this.shadowDirectory = join(resolve(directory), "shadow");
    this.database = database === undefined ? "" : resolve(database);
    const control = join(resolve(directory), "control");
    mkdirSync(this.shadowDirectory, { recursive: true });
    writeFileSync(control, Buffer.alloc(NUMBERS.length * BYTES));
    this.#control = openSync(control, "r+");
    this.env = {
      LD_PRELOAD: compileFaultShim(),
      FAULT_SHIM_CONTROL: control,
      ...(database === undefined ? {} : { FAULT_SHIM_PREFIX: this.database }),
      ...(keepsShadow ? { FAULT_SHIM_SHADOW: this.shadowDirectory } : {}),
    };
  }

  /** How many fsyncs are being carried out, the delay of {@link setSlowFsyncMs} included; 0 after a start of the process. */
  get fsyncsUnderWay(): number {
    return this.#get("fsyncsUnderWay");
  }

  /** How many system calls were made to fail. */
  get faultsGiven(): number {
    return this.#get("faultsGiven");
  }

  /** ENOSPC on writes: those that make a file longer, as on a full disk, or `"every"` one. */
  setDiskFull(isFull: boolean, which: "growing" | "every" = "growing"): void {
    this.#set("onlyGrowth", which === "growing" ? 1 : 0);
    this.#set("writeError", isFull ? ENOSPC : 0);
  }

  /** EROFS on writes, deletions and opening for writing, as when a file system is remounted read-only. */
  setReadOnly(isReadOnly: boolean): void {
    this.#set("onlyGrowth", 0);
    this.#set("openError", isReadOnly ? EROFS : 0);
    this.#set("writeError", isReadOnly ? EROFS : 0);
  }

  /** EIO on every write. */
  setWriteError(isBroken: boolean): void {
    this.#set("onlyGrowth", 0);
    this.#set("writeError", isBroken ? EIO : 0);
  }

  /** EIO on every read. */
  setReadError(isBroken: boolean): void {
    this.#set("readError", isBroken ? EIO : 0);
  }

  /** EIO on every fsync; what was to be synced is not in the shadow later either, as Linux forgets pages it could not write. */
  setFsyncError(isBroken: boolean): void {
    this.#set("fsyncError", isBroken ? EIO : 0);
  }

  /** Every fsync takes so many milliseconds longer; 0: none. Ends a delay that is under way when it is made shorter. */
  setSlowFsyncMs(delayMs: number): void {
    this.#set("fsyncDelayMs", delayMs);
  }

  /** The wall clock is so many milliseconds ahead (negative: behind). The monotonic clock is not touched. */
  setClockOffsetMs(offsetMs: number): void {
    this.#set("clockOffsetMs", offsetMs);
  }

  /** Ends every fault; the clock is right again. */
  heal(): void {
    for (const name of NUMBERS) if (name !== "fsyncsUnderWay" && name !== "faultsGiven") this.#set(name, 0);
  }

  /** Releases the control file here. Running children go on as they are. */
  close(): void {
    closeSync(this.#control);
  }

  #set(name: Name, value: number): void {
    const bytes = Buffer.alloc(BYTES);
    bytes.writeBigInt64LE(BigInt(value));
    writeSync(this.#control, bytes, 0, BYTES, NUMBERS.indexOf(name) * BYTES);
  }

  #get(name: Name): number {
    const bytes = Buffer.alloc(BYTES);
    readSync(this.#control, bytes, 0, BYTES, NUMBERS.indexOf(name) * BYTES);
    return Number(bytes.readBigInt64LE());
  }
}
