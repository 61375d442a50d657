import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { expect } from "chai";
import ts from "typescript";
import { signWebhook } from "#worker/handlers/webhook-deliver/sign-webhook.js";

const guide = readFileSync(new URL("../../../../../../docs/webhooks.md", import.meta.url), "utf8");
const secretOf = (byte: number) => `whsec_${Buffer.alloc(32, byte).toString("base64")}`;

type Verify = (headers: Record<string, string>, body: string, secret: string, now?: Date) => boolean;

describe("docs/webhooks.md", () => {
  let verify: Verify;

  before(async () => {
    const code = /```ts\n(import[\s\S]*?)```/.exec(guide)?.[1] ?? "";
    const options = { module: ts.ModuleKind.ES2022, target: ts.ScriptTarget.ES2022 };
    const file = new URL("./guide-example.mjs", import.meta.url);
    writeFileSync(file, ts.transpileModule(code, { compilerOptions: options }).outputText);
    try {
      const module: unknown = await import(file.href);
      verify = Reflect.get(Object(module), "isFromTaskwire") as Verify;
    } finally {
      rmSync(file);
    }
  });

  const now = new Date(1_764_230_400_000);
  const timestampSeconds = now.getTime() / 1000;
  const body = '{"type":"task.failed"}';
  const headersFor = (...secrets: string[]) => ({
    "webhook-id": "a_4",
    "webhook-timestamp": String(timestampSeconds),
    "webhook-signature": signWebhook({ id: "a_4", timestampSeconds, body }, secrets),
  });

  it("has an example that takes what webhook.deliver signs, with one of several secrets too", () => {
    expect(verify(headersFor(secretOf(1)), body, secretOf(1), now)).to.equal(true);
    expect(verify(headersFor(secretOf(2), secretOf(1)), body, secretOf(1), now)).to.equal(true);
  });

  it("has an example that refuses another secret, body, id or time, and a message without a signature", () => {
    const headers = headersFor(secretOf(1));
    const later = (seconds: number) => new Date(now.getTime() + seconds * 1000);
    const refused: Parameters<Verify>[] = [
      [headers, body, secretOf(2), now],
      [headers, `${body} `, secretOf(1), now],
      [{ ...headers, "webhook-id": "a_5" }, body, secretOf(1), now],
      [{ ...headers, "webhook-timestamp": String(timestampSeconds + 1) }, body, secretOf(1), now],
      [{ ...headers, "webhook-timestamp": "soon" }, body, secretOf(1), now],
      [headers, body, secretOf(1), later(301)],
      [headers, body, secretOf(1), later(-301)],
      [{ ...headers, "webhook-signature": "" }, body, secretOf(1), now],
      [{ ...headers, "webhook-signature": "v1,AAAA" }, body, secretOf(1), now],
      [{}, body, secretOf(1), now],
    ];
    for (const [index, message] of refused.entries()) expect(verify(...message), `case ${index}`).to.equal(false);
    expect(verify(headers, body, secretOf(1), later(300))).to.equal(true);
  });
});
