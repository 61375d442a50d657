import { Option, type Command } from "commander";
import { flagOf, type Schema } from "#libs/config/settings.js";

/** Adds every setting of a schema to a command as a flag, but for secrets. Lists may be given more than once. */
export function addSchemaFlags(command: Command, schema: Schema): Command {
  for (const setting of Object.values(schema)) {
    if (setting.secret === true) continue;
    const unit = setting.unit === undefined ? "" : ` ${setting.unit}`;
    const byDefault = Array.isArray(setting.default) ? setting.default.join(",") : String(setting.default);
    const shown = byDefault === "" ? "" : `; default ${byDefault}${unit}`;
    const option = new Option(
      `${flagOf(setting)} <value>`,
      `${setting.doc} (${setting.allowed.replaceAll("`", "")}${shown}; ${setting.env})`,
    );
    if (Array.isArray(setting.default))
      option.argParser((value: string, before?: string) => (before === undefined ? value : `${before},${value}`));
    command.addOption(option);
  }
  return command;
}

/** The flags that were given, by name without dashes, as `readSettings` takes them. */
export function givenFlags(command: Command, schema: Schema): Record<string, string | undefined> {
  const values = command.opts<Record<string, unknown>>();
  const flags: Record<string, string | undefined> = {};
  for (const setting of Object.values(schema)) {
    const name = flagOf(setting).slice(2);
    const value = values[name.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())];
    if (typeof value === "string") flags[name] = value;
  }
  return flags;
}
