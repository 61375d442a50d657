import { expect } from "chai";
import { signWebhook, webhookSecrets } from "#worker/handlers/webhook-deliver/sign-webhook.js";

describe("signWebhook", () => {
  // The example of the Standard Webhooks specification's reference libraries.
  const message = { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestampSeconds: 1614265330, body: '{"test": 2432232314}' };
  const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  const signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

  it("signs as the specification says", () => {
    expect(signWebhook(message, [secret])).to.equal(signature);
  });

  it("signs with every secret, in their order", () => {
    const other = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
    expect(signWebhook(message, [other, secret]).split(" "))
      .to.have.lengthOf(2)
      .and.include(signature);
    expect(signWebhook(message, webhookSecrets(` ${secret},${other}\n`))).to.match(/^v1,g0hM9S\S+ v1,\S+$/);
    expect(signWebhook(message, webhookSecrets(""))).to.equal("");
  });
});
