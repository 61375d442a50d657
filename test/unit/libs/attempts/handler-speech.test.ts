import { expect } from "chai";
import { MAX_LOG_BYTES } from "#libs/tasks/limits.js";
import { HandlerSpeech } from "#libs/attempts/handler-speech.js";
import type { LogClaim } from "#libs/attempts/speech-claims.js";

describe("HandlerSpeech", () => {
  let lines: LogClaim[];
  let speech: HandlerSpeech;

  beforeEach(() => {
    lines = [];
    const limits = { progressIntervalMs: 0, logLines: 100, logBytes: 1_000_000, outputBytes: 1000 };
    speech = new HandlerSpeech(limits, {
      onProgress: () => undefined,
      onLog: (claim) => lines.push(claim),
      onOutput: () => undefined,
    });
  });

  afterEach(() => {
    speech.end();
  });

  it("keeps a log line that just fits", () => {
    const line = "x".repeat(MAX_LOG_BYTES);
    speech.log.info(line);
    expect(lines[0]?.message).to.equal(line);
  });

  for (const character of ["x", "é", "한", "😀"]) {
    it(`ends a log line that is too large with an ellipsis, and splits no character (${character})`, () => {
      speech.log.info(character.repeat(MAX_LOG_BYTES + 1));
      const message = lines[0]?.message ?? "";
      expect(message).to.match(new RegExp(`^(${character})+…$`, "u"));
      const bytes = Buffer.byteLength(message);
      expect(bytes).to.be.at.most(MAX_LOG_BYTES);
      expect(bytes).to.be.above(MAX_LOG_BYTES - Buffer.byteLength(character));
    });
  }

  it("replaces fields that are too large by a note", () => {
    speech.log.warn("see fields", { text: "x".repeat(MAX_LOG_BYTES) });
    expect(lines[0]).to.include({ message: "see fields", fieldsJson: '{"omitted":"too large"}' });
  });
});
