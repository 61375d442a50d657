import { expect } from "chai";
import { z } from "zod";
import { checkValue, issueSentence } from "#libs/define-task/check-value.js";

describe("checkValue", () => {
  it("answers at once where the schema does", () => {
    expect(checkValue(z.object({ n: z.number().default(3) }), {})).to.deep.equal({ ok: true, value: { n: 3 } });
  });

  it("waits for asynchronous schemas", async () => {
    const schema = z.string().refine((text) => Promise.resolve(text === "yes"), "must be yes");
    const checked = await checkValue(schema, "no");
    expect(checked).to.deep.equal({ ok: false, issues: [{ path: "", message: "must be yes" }] });
  });

  it("names where each issue is", () => {
    const checked = checkValue(z.object({ list: z.array(z.object({ n: z.number("must be a number") })) }), {
      list: [{ n: 1 }, { n: "x" }],
    });
    expect(checked).to.deep.equal({ ok: false, issues: [{ path: "list.1.n", message: "must be a number" }] });
    expect(
      issueSentence([
        { path: "list.1.n", message: "must be a number" },
        { path: "", message: "odd" },
      ]),
    ).to.equal("list.1.n: must be a number; odd");
  });
});
