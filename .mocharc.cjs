// Tests run from dist: build first, as `make test` does.
module.exports = {
  // Other test files run beside: this ends what hangs, and measures nothing.
  timeout: 60_000,
  forbidOnly: process.env.CI !== undefined,
  require: ["dist/test/support/root-hooks.js"],
  reporter: "dist/test/support/summary-reporter.js",
  // What a test leaves open fails the run (root-hooks); it must not also hang it.
  exit: true,
};
