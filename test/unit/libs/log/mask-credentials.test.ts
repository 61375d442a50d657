import { expect } from "chai";
import { maskCredentials } from "#libs/log/mask-credentials.js";

describe("maskCredentials", () => {
  it("hides user and password of every address", () => {
    expect(maskCredentials("nats://me:hunter2@a:4222,tls://token@b:4222")).to.equal(
      "nats://***@a:4222,tls://***@b:4222",
    );
    expect(maskCredentials("nats://me:p@ss:w@a:4222")).to.equal("nats://***@a:4222");
  });

  it("leaves other texts as they are", () => {
    for (const text of ["nats://127.0.0.1:4222", "me@example.org", "/data/taskwire.db", ""])
      expect(maskCredentials(text)).to.equal(text);
  });
});
