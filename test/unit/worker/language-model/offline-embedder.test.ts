import { expect } from "chai";
import { rejectionOf } from "#test/support/rejection-of.js";
import { OfflineEmbedder } from "#worker/language-model/offline-embedder.js";

describe("OfflineEmbedder", () => {
  const embedder = new OfflineEmbedder();
  const { signal } = new AbortController();
  const embed = async (...texts: string[]) => (await embedder.embed(texts, { signal })).vectors;
  const cosine = (a: readonly number[] = [], b: readonly number[] = []) =>
    a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);

  it("gives vectors of length 1 with 256 numbers, the same for the same text, and counts words", async () => {
    const { vectors, usage } = await embedder.embed(["Tides rise twice a day", "tides RISE twice a day"], { signal });
    expect(vectors).to.have.lengthOf(2);
    expect(vectors[0]).to.have.lengthOf(embedder.dimensions).and.deep.equal(vectors[1]);
    expect(cosine(vectors[0], vectors[0])).to.be.closeTo(1, 1e-9);
    expect(usage).to.deep.equal({ inputTokens: 10, outputTokens: 0 });
  });

  it("puts texts that share words closer than others, also inflected and Korean ones", async () => {
    const [queue, queues, bread] = await embed("the queue of tasks", "tasks wait in queues", "bread is baked early");
    expect(cosine(queue, queues)).to.be.greaterThan(cosine(queue, bread) + 0.2);
    const [task, tasks, tide] = await embed("작업을 처리한다", "작업이 처리되었다", "밀물과 썰물");
    expect(cosine(task, tasks)).to.be.greaterThan(cosine(task, tide) + 0.1);
  });

  it("gives a text without words the zero vector", async () => {
    expect((await embed("—"))[0]?.every((value) => value === 0)).to.equal(true);
  });

  it("stops with the reason of its signal", async () => {
    const reason = new Error("cancelled in the test");
    expect(await rejectionOf(embedder.embed(["x"], { signal: AbortSignal.abort(reason) }))).to.equal(reason);
    const later = new AbortController();
    const texts = Array.from({ length: 100 }, () => "a text");
    setImmediate(() => {
      later.abort(reason);
    });
    expect(await rejectionOf(embedder.embed(texts, { signal: later.signal }))).to.equal(reason);
  });
});
