import { text } from "#libs/config/setting-kinds.js";
import type { Schema } from "#libs/config/settings.js";

/** Settings of the commands that talk to a service. */
export const clientSettings = {
  address: text({
    env: "TASKWIRE_ADDRESS",
    doc: "Where the task-service listens.",
    default: "127.0.0.1:50051",
    allowed: "`host:port`",
    pattern: /^\S+:\d{1,5}$/,
  }),
} satisfies Schema;
