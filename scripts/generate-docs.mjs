// Writes the README's tables of settings from the schemas in the code, between markers:
//   <!-- settings:task-service --> … <!-- /settings -->
// Usage: node scripts/generate-docs.mjs [--check]   (after a build; --check only compares and exits with 1 when they differ)
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import * as prettier from "prettier";
import { clientSettings } from "../dist/cli/client-settings.js";
import { flagOf } from "../dist/libs/config/settings.js";
import { taskServiceSettings } from "../dist/services/task-service/settings.js";
import { workerSettingsSchema as workerSettings } from "../dist/services/worker/settings.js";

const schemas = { "task-service": taskServiceSettings, worker: workerSettings, client: clientSettings };
const readme = fileURLToPath(new URL("../README.md", import.meta.url));
const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });

function cell(text) {
  return String(text).replaceAll("|", "\\|").replaceAll("\n", " ");
}

/** A default that depends on the machine is described by the setting's text as “Default: ….”; that goes into its column instead. */
function describe(setting) {
  const described = / ?Default: ([^.]*?)(?: \(here \d+\))?\./.exec(setting.doc);
  if (described !== null) return { doc: setting.doc.replace(described[0], ""), byDefault: described[1] };
  const value = Array.isArray(setting.default) ? setting.default.join(",") : String(setting.default);
  return { doc: setting.doc, byDefault: value === "" ? "–" : `\`${value}\`` };
}

function table(schema) {
  const rows = Object.values(schema).map((setting) => {
    const { doc, byDefault } = describe(setting);
    const allowed = setting.unit === undefined ? setting.allowed : `${setting.allowed} ${setting.unit}`;
    return `| \`${setting.env}\` | ${setting.secret ? "–" : `\`${flagOf(setting)}\``} | ${cell(byDefault)} | ${cell(allowed)} | ${cell(doc)} |`;
  });
  return ["| variable | flag | default | allowed | meaning |", "| --- | --- | --- | --- | --- |", ...rows].join("\n");
}

const before = readFileSync(readme, "utf8");
const seen = new Set();
const filled = before.replace(/<!-- settings:([a-z-]+) -->[\s\S]*?<!-- \/settings -->/g, (whole, name) => {
  if (schemas[name] === undefined) throw new Error(`README.md: no settings of the name ${name}`);
  seen.add(name);
  return `<!-- settings:${name} -->\n\n${table(schemas[name])}\n\n<!-- /settings -->`;
});
// As `make lint` wants it, so that the two never disagree.
const after = await prettier.format(filled, { ...(await prettier.resolveConfig(readme)), filepath: readme });
const missing = Object.keys(schemas).filter((name) => !seen.has(name));
if (missing.length > 0) {
  console.error(
    `README.md has no place for the settings of: ${missing.join(", ")} (<!-- settings:NAME --> … <!-- /settings -->)`,
  );
  process.exit(1);
}
if (after === before) process.exit(0);
if (values.check) {
  console.error(
    "The tables of settings in README.md are out of date (or its format is): run `node scripts/generate-docs.mjs`.",
  );
  process.exit(1);
}
writeFileSync(readme, after);
