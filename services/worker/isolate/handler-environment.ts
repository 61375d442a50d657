import { encryptionSettings } from "#libs/config/encryption.js";
import { environment } from "#libs/config/environment.js";
import { asEnvironment } from "#libs/config/settings.js";
import { handlerSettingsSchema, type HandlerSettings } from "#worker/handlers/handler-settings.js";

const { encryptionKey, encryptionOldKeys } = encryptionSettings;
const SECRETS: readonly string[] = [encryptionKey.env, encryptionOldKeys.env];

/** What a process or thread sees of its surroundings: variables by their names. */
export type HandlerEnvironment = Readonly<Record<string, string | undefined>>;

/**
 * The environment that handlers in processes and threads see: the worker's own without its keys, and with the handlers' settings as the
 * worker has them, so that its flags reach them too. Secrets among them go this way only, never by a command line.
 */
export function handlerEnvironment(
  settings: HandlerSettings,
  workersOwn: HandlerEnvironment = environment(),
): HandlerEnvironment {
  const own = Object.entries(workersOwn).filter(([name]) => !SECRETS.includes(name));
  return { ...Object.fromEntries(own), ...asEnvironment(handlerSettingsSchema, settings) };
}
