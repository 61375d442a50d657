import { environment } from "#libs/config/environment.js";
import { readSettings, type Schema, type Settings } from "#libs/config/settings.js";
import { chunkSettings } from "#worker/documents/chunk-settings.js";
import { documentSettings } from "#worker/documents/document-settings.js";
import { reportSettings } from "#worker/handlers/report-generate/report-settings.js";
import { resumeSettings } from "#worker/handlers/resume-process/resume-settings.js";
import { webhookSettings } from "#worker/handlers/webhook-deliver/webhook-settings.js";
import { languageModelSettings } from "#worker/language-model/language-model-settings.js";
import { outboundSettings } from "#worker/outbound/outbound-settings.js";

/** Every setting of the built-in handlers. They are settings of the worker, which checks them when it starts. */
export const handlerSettingsSchema = {
  ...languageModelSettings,
  ...outboundSettings,
  ...documentSettings,
  ...chunkSettings,
  ...reportSettings,
  ...webhookSettings,
  ...resumeSettings,
} satisfies Schema;

/** The values of the handlers' settings. */
export type HandlerSettings = Settings<typeof handlerSettingsSchema>;

let workersOwn: HandlerSettings | undefined;

/** Gives the settings to the inline handlers of this process; those in processes and threads get them by their environment. The last call counts; undefined: none. */
export function setHandlerSettings(settings: HandlerSettings | undefined): void {
  workersOwn = settings;
}

/** The worker's settings for handlers, wherever a handler runs. Without a worker, in a test for instance, the environment gives them. Throws `ConfigError`. */
export function handlerSettings(): HandlerSettings {
  return workersOwn ?? readSettings(handlerSettingsSchema, { env: environment() });
}
