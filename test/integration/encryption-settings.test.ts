import { expect } from "chai";
import { runCli } from "#test/support/run-cli.js";

const MALFORMED = "0badc0ffee".repeat(3);

describe("Where there must be an encryption key (Clear refusals)", function () {
  this.timeout(60_000);

  for (const command of ["serve", "work"]) {
    it(`${command} does not start without one, and says how to make one`, async () => {
      for (const NODE_ENV of ["production", "staging"]) {
        const { exitCode, stderr } = await runCli([command], { env: { NODE_ENV } });
        expect(exitCode).to.equal(78);
        expect(stderr).to.contain("ENCRYPTION_KEY is missing").and.to.contain("openssl rand -hex 32");
      }
    });

    it(`${command} names malformed ones with every other problem, and shows none of them`, async () => {
      const env = { NODE_ENV: "production", ENCRYPTION_KEY: MALFORMED, ENCRYPTION_OLD_KEYS: `${MALFORMED},x` };
      const { exitCode, stderr, stdout } = await runCli([command, "--log-level", "loud"], { env });
      expect(exitCode).to.equal(78);
      expect(stderr).to.contain("4 problems").and.to.contain("ENCRYPTION_KEY=***").and.to.contain("key 2");
      expect(stderr + stdout).not.to.contain("0badc0ffee");
    });

    it(`${command} takes no key from the command line, where others could see it`, async () => {
      const { exitCode, stderr } = await runCli([command, "--encryption-key", "ab".repeat(32)]);
      expect(exitCode).not.to.equal(0);
      expect(stderr).to.contain("unknown option '--encryption-key'");
    });
  }

  it("an address of NATS is not shown with its password", async () => {
    const { exitCode, stderr } = await runCli(["serve", "--nats-url", "nat://me:hunter2@127.0.0.1:4222"]);
    expect(exitCode).to.equal(78);
    expect(stderr).to.contain("nat://***@127.0.0.1:4222").and.not.to.contain("hunter2");
  });
});
