import { text } from "#libs/config/setting-kinds.js";
import type { Schema } from "#libs/config/settings.js";

/** Base64 of 24 to 64 bytes, as Standard Webhooks wants them. */
const SECRET = "whsec_[A-Za-z0-9+/]{32,86}={0,2}";

/** The settings of webhooks. */
export const webhookSettings = {
  webhookSecret: text({
    env: "TASKWIRE_WEBHOOK_SECRET",
    doc: 'The secret that webhooks are signed with; `echo "whsec_$(openssl rand -base64 32)"` makes one. Several, separated by spaces or commas, all sign, which lets receivers change over.',
    default: "",
    allowed: "`whsec_` and the base64 of 24–64 bytes",
    pattern: new RegExp(`^\\s*${SECRET}([\\s,]+${SECRET}){0,4}\\s*$`),
    secret: true,
  }),
} satisfies Schema;
