import { environment } from "#libs/config/environment.js";
import { readSettings, type Schema, type Settings } from "#libs/config/settings.js";
import { webhookSettings } from "#worker/handlers/webhook-deliver/webhook-settings.js";
import { outboundSettings } from "#worker/outbound/outbound-settings.js";

/** Every setting of the built-in handlers. They are settings of the worker, which checks them when it starts. */
export const handlerSettingsSchema = { ...outboundSettings, ...webhookSettings } satisfies Schema;

/** The values of the handlers' settings. */
export type HandlerSettings = Settings<typeof handlerSettingsSchema>;

/** Reads the settings in the process that a handler runs in: the worker hands its own down by the environment. Throws `ConfigError`. */
export function handlerSettings(): HandlerSettings {
  return readSettings(handlerSettingsSchema, { env: environment() });
}
