import type { Command } from "commander";
import { TaskwireClient } from "#libs/client/taskwire-client.js";
import { environment } from "#libs/config/environment.js";
import { readSettings } from "#libs/config/settings.js";
import { TaskwireError } from "#libs/errors/taskwire-error.js";
import { TRANSPORT_REASON } from "#libs/rpc/service-error.js";
import { clientSettings } from "#cli/client-settings.js";

/** How long a command waits for the service before it says that it cannot be reached, in milliseconds. */
const REACH_TIMEOUT_MS = 3000;

/** The address that `--address`, TASKWIRE_ADDRESS or the default gives. */
export function addressOf(command: Command): string {
  const { address } = command.optsWithGlobals<{ address?: string }>();
  return readSettings(clientSettings, { flags: { address }, env: environment() }).address;
}

/** Runs a part of a command with a connected client, which is closed afterwards. Fails early and clearly when nobody is there. */
export async function withClient<T>(command: Command, use: (client: TaskwireClient) => Promise<T>): Promise<T> {
  const address = addressOf(command);
  const client = new TaskwireClient({ address });
  try {
    await client.ready(REACH_TIMEOUT_MS).catch((error: unknown) => {
      const message = `cannot reach a task-service at ${address}`;
      throw new TaskwireError({ code: "UNAVAILABLE", reason: TRANSPORT_REASON, message, cause: error });
    });
    return await use(client);
  } finally {
    client.close();
  }
}
