import { PassThrough } from "node:stream";
import { expect } from "chai";
import { LiveLines } from "#cli/watch/live-lines.js";

/** A terminal of 20 columns and 6 rows that remembers what was written. */
function terminal(): { stream: NodeJS.WriteStream; written: () => string } {
  const pipe = new PassThrough();
  let text = "";
  pipe.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  return {
    stream: Object.assign(pipe, { columns: 20, rows: 6 }) as unknown as NodeJS.WriteStream,
    written: () => text,
  };
}

describe("LiveLines", () => {
  it("draws lasting lines above the block", () => {
    const { stream, written } = terminal();
    const live = new LiveLines(stream);
    live.update(["one", "two"]);
    live.print("a log line that may be as long as it likes");
    live.end();
    expect(written()).to.equal(
      "\r\u001b[2Ka log line that may be as long as it likes\n\u001b[2Kone\n\u001b[2Ktwo\n\u001b[0J",
    );
  });

  it("cuts the block's lines to the width, and the block to the height", () => {
    const { stream, written } = terminal();
    const live = new LiveLines(stream);
    live.update(["x".repeat(30), "2", "3", "4", "5", "6"]);
    live.end();
    const lines = written().split("\n");
    expect(lines[0]).to.include(`${"x".repeat(18)}…`);
    expect(lines).to.have.length(5);
    expect(lines[3]).to.include("… 3 more");
  });
});
