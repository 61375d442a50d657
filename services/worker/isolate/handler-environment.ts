import { encryptionSettings } from "#libs/config/encryption.js";
import { environment } from "#libs/config/environment.js";

const { encryptionKey, encryptionOldKeys } = encryptionSettings;
const SECRETS: readonly string[] = [encryptionKey.env, encryptionOldKeys.env];

/** The environment that handlers in processes and threads see: the worker's own without its keys. */
export function handlerEnvironment(): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(environment()).filter(([name]) => !SECRETS.includes(name)));
}
