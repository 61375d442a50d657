import { environment } from "#libs/config/environment.js";
import { readSettings, type Schema, type Settings } from "#libs/config/settings.js";
import { commandSettings } from "#worker/handlers/command-run/command-settings.js";

/** Every setting of the built-in handlers. They are settings of the worker, which checks them when it starts. */
export const handlerSettingsSchema = { ...commandSettings } satisfies Schema;

/** The values of the handlers' settings. */
export type HandlerSettings = Settings<typeof handlerSettingsSchema>;

/** Reads the settings in the process that a handler runs in: the worker hands its own down by the environment. Throws `ConfigError`. */
export function handlerSettings(): HandlerSettings {
  return readSettings(handlerSettingsSchema, { env: environment() });
}
