import { stripVTControlCharacters } from "node:util";
import { expect } from "chai";
import { LogText } from "#cli/output/log-text.js";
import { LogLine, LogLine_Level as Level, OutputChunk, TaskEvent } from "#libs/proto/gen/taskwire/v1/task_event.js";

const TIME = new Date(2026, 2, 1, 8, 5, 9, 7);
const STAMP = "2026-03-01 08:05:09.007";

function log(line: Partial<LogLine>, attempt = 1): TaskEvent {
  const value = { ...LogLine.fromPartial({}), level: Level.INFO, ...line };
  return { ...TaskEvent.fromPartial({ time: TIME, attempt }), kind: { $case: "log", value } };
}

function output(text: string, { name = "output", attempt = 1, capped = false } = {}): TaskEvent {
  const value = OutputChunk.fromPartial({ name, text, capped });
  return { ...TaskEvent.fromPartial({ time: TIME, attempt }), kind: { $case: "output", value } };
}

/** Everything that is written for some events, without colours. */
function written(events: readonly TaskEvent[], text = new LogText(false)): string {
  return stripVTControlCharacters(events.map((event) => text.of(event)).join("") + text.end());
}

describe("LogText", () => {
  it("gives a log line its local time, level, message and fields", () => {
    const fields = { page: 3, name: "a b", inner: { list: [1, null] } };
    expect(written([log({ level: Level.WARN, message: "careful", fields })])).to.equal(
      `${STAMP} warn  careful page=3 name="a b" inner={"list":[1,null]}\n`,
    );
  });

  it("tells the attempt where there is more than one", () => {
    const lines = [log({ message: "a" }, 1), log({ message: "b" }, 2), log({ message: "c" }, 1)];
    const told = (attempt: number, message: string) => `${STAMP} info  #${attempt} ${message}\n`;
    expect(written(lines)).to.equal(`${STAMP} info  a\n${told(2, "b")}${told(1, "c")}`);
    expect(written(lines, new LogText(true))).to.equal(`${told(1, "a")}${told(2, "b")}${told(1, "c")}`);
  });

  it("keeps a log line on its line and the terminal unharmed, also by its fields", () => {
    const fields = { "k\u001b": "\u009b2J\n" };
    expect(new LogText(false).of(log({ message: "\u001b[2Ja\nb\rc", fields }))).to.include("\\x1b[2Ja\\nb\\x0dc");
    expect(written([log({ message: "", fields })])).to.equal(`${STAMP} info   k\\x1b="\\x9b2J\\n"\n`);
  });

  it("marks the last line and the last output that were kept", () => {
    expect(written([log({ message: "last", capped: true })])).to.equal(
      `${STAMP} info  last [capped: later lines of this attempt were dropped]\n`,
    );
    expect(written([output("a\nb", { capped: true })])).to.equal(
      "a\nb\n[capped: later output of this attempt was dropped]\n",
    );
  });

  it("writes output as it is, and goes on within a line", () => {
    expect(written([output("half a "), output(""), output("line\n\tnext\r\n"), output("end\n")])).to.equal(
      "half a line\n\tnext\r\nend\n",
    );
    expect(written([output("\u001b]0;title\u0007")])).to.equal("\\x1b]0;title\\x07\n");
  });

  it("begins a line where something else comes within a line of output", () => {
    const events = [output("a"), log({ message: "b" }), output("c"), output("d", { name: "e" }), output("f\n")];
    expect(written(events)).to.equal(`a\n${STAMP} info  b\nc\nd\nf\n`);
    expect(written([output("a"), output("b", { attempt: 2 })])).to.equal("a\nb\n");
  });

  it("says nothing for other events", () => {
    const started = { $case: "started" as const, value: { workerId: "w", maxAttempts: 1 } };
    expect(written([{ ...TaskEvent.fromPartial({ attempt: 1 }), kind: started }])).to.equal("");
  });
});
