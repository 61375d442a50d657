import { text } from "#libs/config/setting-kinds.js";
import type { Schema } from "#libs/config/settings.js";

/** The setting of `command.run`. */
export const commandSettings = {
  commandsFile: text({
    env: "TASKWIRE_COMMANDS_FILE",
    doc: "JSON file with the programs that `command.run` may start; without it there are none. Checked when the worker starts.",
    default: "",
    allowed: "a path",
  }),
} satisfies Schema;
