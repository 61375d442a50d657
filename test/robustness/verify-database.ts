import type { RunHistory } from "#test/robustness/history.js";
import { runCli } from "#test/support/run-cli.js";

/** Lets `taskwire verify` recompute every task of a database that no service has open. */
export async function verifyDatabase(path: string): Promise<RunHistory["verification"]> {
  const { exitCode, stdout, stderr } = await runCli(["verify", "--database", path]);
  return { exitCode: exitCode ?? -1, output: `${stdout}${stderr}`.trim() };
}
