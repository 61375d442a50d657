import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { findNatsServer, isAtLeast, NatsServerMissing } from "#libs/nats-server/find-nats-server.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { rejectionOf } from "#test/support/rejection-of.js";

describe("findNatsServer", () => {
  const directory = freshDirectory();
  after(() => {
    directory.remove();
  });

  function fakeServer(folder: string, version: string): string {
    const path = join(directory.path, folder, "nats-server");
    mkdirSync(join(directory.path, folder), { recursive: true });
    writeFileSync(path, `#!/bin/sh\necho "nats-server: v${version}"\n`);
    chmodSync(path, 0o755);
    return path;
  }

  it("prefers the named one, then PATH, then the cache", async () => {
    const named = fakeServer("named", "2.10.0");
    const onPath = fakeServer("on-path", "2.10.1");
    const cached = fakeServer("cache/usr/sbin", "2.10.2");
    const path = `${directory.path}/nowhere:${join(directory.path, "on-path")}`;
    const cache = join(directory.path, "cache");
    expect(await findNatsServer({ named, path, cache })).to.equal(named);
    expect(await findNatsServer({ named: undefined, path, cache })).to.equal(onPath);
    expect(await findNatsServer({ named: undefined, path: "", cache })).to.equal(cached);
  });

  it("passes over one that is too old", async () => {
    fakeServer("old", "2.9.9");
    const good = fakeServer("new", "2.9.10");
    const path = `${join(directory.path, "old")}:${join(directory.path, "new")}`;
    expect(await findNatsServer({ named: undefined, path, cache: "" })).to.equal(good);
  });

  it("says what was found and the three ways to get one when there is none", async () => {
    fakeServer("old-only", "2.8.0");
    const places = {
      named: undefined,
      path: join(directory.path, "old-only"),
      cache: join(directory.path, "no-cache"),
    };
    const error = await rejectionOf(findNatsServer(places));
    expect(error).to.be.instanceOf(NatsServerMissing);
    expect(error.message).to.match(/version 2\.8\.0, which is too old/);
    expect(error.message).to.match(/1\. .*\n.*2\. .*\n.*3\. .*TASKWIRE_NATS_SERVER/);
  });

  it("does not look further when the named one does not exist", async () => {
    const onPath = fakeServer("fine", "2.10.0");
    const error = await rejectionOf(findNatsServer({ named: "/no/such/file", path: join(onPath, "..") }));
    expect(error.message).to.include("TASKWIRE_NATS_SERVER=/no/such/file is not an executable file");
  });
});

describe("isAtLeast", () => {
  it("compares versions by number", () => {
    expect(isAtLeast("2.10.0", "2.9.10")).to.equal(true);
    expect(isAtLeast("2.9.10", "2.9.10")).to.equal(true);
    expect(isAtLeast("2.9.9", "2.9.10")).to.equal(false);
    expect(isAtLeast("1.99.99", "2.9.10")).to.equal(false);
    expect(isAtLeast("3.0.0", "2.9.10")).to.equal(true);
  });
});
