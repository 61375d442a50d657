import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { runHandler } from "#test/support/run-handler.js";
import healthCheck from "#worker/handlers/health-check.js";

describe("system.health_check", () => {
  it("tells about this process and leaves no probe behind", async () => {
    const directory = freshDirectory();
    try {
      const { result } = await runHandler(healthCheck, { directory: directory.path });
      expect(result).to.deep.include({
        nodeVersion: process.version,
        pid: process.pid,
        disk: { directory: directory.path, writable: true },
      });
      expect(result).to.have.property("eventLoopDelayMs").that.is.a("number").and.at.least(-1);
      expect(readdirSync(directory.path)).to.deep.equal([]);
    } finally {
      directory.remove();
    }
  });

  it("tries the nearest directory that exists and creates none", async () => {
    const directory = freshDirectory();
    try {
      const { result } = await runHandler(healthCheck, { directory: join(directory.path, "not", "there") });
      expect(result).to.deep.include({ disk: { directory: directory.path, writable: true } });
      expect(readdirSync(directory.path)).to.deep.equal([]);
    } finally {
      directory.remove();
    }
  });

  it("says why a directory is not writable", async () => {
    const { result } = await runHandler(healthCheck, { directory: "/proc/1" });
    expect(result).to.have.nested.property("disk.writable", false);
    expect(result)
      .to.have.nested.property("disk.error")
      .that.matches(/E[A-Z]+/);
  });
});
