import { environment } from "#libs/config/environment.js";
import { asEnvironment, readSettings, type Schema, type Settings } from "#libs/config/settings.js";
import { chunkSettings } from "#worker/documents/chunk-settings.js";
import { documentSettings } from "#worker/documents/document-settings.js";
import { commandSettings } from "#worker/handlers/command-run/command-settings.js";
import { reportSettings } from "#worker/handlers/report-generate/report-settings.js";
import { resumeSettings } from "#worker/handlers/resume-process/resume-settings.js";
import { researchSettings } from "#worker/handlers/research-run/research-settings.js";
import { webhookSettings } from "#worker/handlers/webhook-deliver/webhook-settings.js";
import { languageModelSettings } from "#worker/language-model/language-model-settings.js";
import { outboundSettings } from "#worker/outbound/outbound-settings.js";

/** Every setting of the built-in handlers. They are settings of the worker, which checks them when it starts. */
export const handlerSettingsSchema = {
  ...commandSettings,
  ...languageModelSettings,
  ...outboundSettings,
  ...documentSettings,
  ...chunkSettings,
  ...reportSettings,
  ...resumeSettings,
  ...researchSettings,
  ...webhookSettings,
} satisfies Schema;

/** The values of the handlers' settings. */
export type HandlerSettings = Settings<typeof handlerSettingsSchema>;

let workersOwn: HandlerSettings | undefined;

/**
 * Gives the settings to the inline handlers of this process, and of what else the object holds, such as keys, nothing; those in processes and
 * threads get them by their environment. The last call counts; undefined: none.
 */
export function setHandlerSettings(settings: HandlerSettings | undefined): void {
  workersOwn =
    settings === undefined
      ? undefined
      : readSettings(handlerSettingsSchema, { env: asEnvironment(handlerSettingsSchema, settings) });
}

/** The worker's settings for handlers, wherever a handler runs. Without a worker, in a test for instance, the environment gives them. Throws `ConfigError`. */
export function handlerSettings(): HandlerSettings {
  return workersOwn ?? readSettings(handlerSettingsSchema, { env: environment() });
}
