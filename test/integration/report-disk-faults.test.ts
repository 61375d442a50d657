import { fork } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { z } from "zod";
import { environment } from "#libs/config/environment.js";
import { describeWithFaults } from "#test/faults/describe-with-faults.js";
import { FaultShim } from "#test/faults/fault-shim.js";
import { freshDirectory } from "#test/support/fresh-directory.js";

const ENDING = z.object({ code: z.string(), isRetryable: z.boolean(), message: z.string() });

describeWithFaults("report.generate on a bad disk", function () {
  this.timeout(60_000);
  const script = new URL("../faults/reporting-process.js", import.meta.url);

  for (const { what, file, break: breakDisk, isRetryable, systemCode } of [
    {
      what: "is full",
      file: "md",
      break: (shim: FaultShim) => shim.setDiskFull(true),
      isRetryable: true,
      systemCode: "ENOSPC",
    },
    {
      what: "is full when the page is written",
      file: "html",
      break: (shim: FaultShim) => shim.setDiskFull(true),
      isRetryable: true,
      systemCode: "ENOSPC",
    },
    {
      what: "cannot sync",
      file: "html",
      break: (shim: FaultShim) => shim.setFsyncError(true),
      isRetryable: true,
      systemCode: "EIO",
    },
    {
      what: "may not be written to",
      file: "md",
      break: (shim: FaultShim) => shim.setReadOnly(true),
      isRetryable: false,
      systemCode: "EROFS",
    },
  ]) {
    it(`ends with FILE_SYSTEM_ERROR and leaves nothing behind when the disk ${what}`, async () => {
      const directory = freshDirectory();
      const output = join(directory.path, "output");
      const shim = new FaultShim({
        directory: join(directory.path, "faults"),
        database: join(output, `.report.${file}.`),
      });
      try {
        breakDisk(shim);
        const child = fork(script, [join(output, "report.md")], { env: { ...environment(), ...shim.env } });
        const exited = once(child, "exit");
        const [said] = (await once(child, "message")) as unknown[];
        await exited;
        expect(ENDING.parse(said)).to.deep.include({ code: "FILE_SYSTEM_ERROR", isRetryable });
        expect(ENDING.parse(said).message).to.match(new RegExp(`report\\.${file}: ${systemCode}$`));
        expect(shim.faultsGiven).to.be.greaterThan(0);
        shim.heal();
        expect(readdirSync(output)).to.deep.equal([]);
      } finally {
        shim.close();
        directory.remove();
      }
    });
  }
});
