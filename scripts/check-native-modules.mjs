// Checks after `npm ci` that better-sqlite3 has its native part, and says what is missing when not.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";

try {
  const Database = createRequire(import.meta.url)("better-sqlite3");
  new Database(":memory:").close();
} catch (error) {
  const tools = ["python3", "make", "g++"];
  const missing = tools.filter((tool) => spawnSync(tool, ["--version"], { stdio: "ignore" }).status !== 0);
  console.error(`better-sqlite3 has no working native part: ${error.message.split("\n")[0]}`);
  if (missing.length > 0) {
    console.error(`To compile it, these are missing: ${missing.join(", ")}.`);
    console.error("Debian or Ubuntu: apt-get install python3 make g++    macOS: xcode-select --install");
    console.error("Then run the same command again.");
  } else {
    console.error("The compiler is there; `npm rebuild better-sqlite3` shows what went wrong.");
  }
  process.exit(1);
}
