import { oneOf } from "#libs/config/setting-kinds.js";
import type { Schema } from "#libs/config/settings.js";

/** The settings of every request that a handler sends out. */
export const outboundSettings = {
  allowPrivateAddresses: oneOf<"on" | "off">({
    env: "TASKWIRE_ALLOW_PRIVATE_ADDRESSES",
    doc: "Whether handlers may send HTTP requests to addresses that are not public: this machine, private networks, link-local and the like.",
    default: "off",
    values: ["on", "off"],
  }),
} satisfies Schema;
