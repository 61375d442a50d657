import { writeFile } from "node:fs/promises";
import { expect } from "chai";
import { PermanentError, RetryableError } from "#libs/define-task/define-task.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { fileSystemError } from "#worker/handlers/file-system-error.js";

describe("fileSystemError", () => {
  it("asks for another attempt when the device has no space", async () => {
    const full = await rejectionOf(writeFile("/dev/full", "x"));
    const error = fileSystemError(full, "write", "/dev/full");
    expect(error).to.be.instanceOf(RetryableError);
    expect(error).to.deep.include({
      code: "FILE_SYSTEM_ERROR",
      details: { path: "/dev/full", action: "write", systemCode: "ENOSPC" },
    });
  });

  it("gives up where trying again cannot help", async () => {
    const onFolder = await rejectionOf(writeFile("/", "x"));
    expect(fileSystemError(onFolder, "write", "/"))
      .to.be.instanceOf(PermanentError)
      .with.property("code", "FILE_SYSTEM_ERROR");
    const missing = await rejectionOf(writeFile("/no/such/folder/x", "x"));
    expect(fileSystemError(missing, "read", "/no/such/folder/x"))
      .to.be.instanceOf(PermanentError)
      .with.property("code", "FILE_NOT_FOUND");
  });

  it("returns anything else unchanged", () => {
    const other = new Error("other");
    expect(fileSystemError(other, "read", "x")).to.equal(other);
    expect(fileSystemError("text", "read", "x")).to.equal("text");
  });
});
