import { expect } from "chai";
import { readSettings } from "#libs/config/settings.js";
import { chunkLimits, koreanShare } from "#worker/documents/chunk-limits.js";
import { chunkSettings } from "#worker/documents/chunk-settings.js";

describe("chunkLimits", () => {
  const settings = readSettings(chunkSettings, { env: {} });
  const korean = "항구는 열립니다 open";

  it("has the limits of the settings for each kind, and others for Korean sections", () => {
    expect(chunkLimits("structured", korean, settings)).to.deep.equal({ maxCharacters: 2000, overlapCharacters: 0 });
    expect(chunkLimits("full_text", korean, settings)).to.deep.equal({ maxCharacters: 8000, overlapCharacters: 0 });
    expect(chunkLimits("section", "open", settings)).to.deep.equal({ maxCharacters: 1500, overlapCharacters: 300 });
    expect(chunkLimits("section", korean, settings)).to.deep.equal({ maxCharacters: 2000, overlapCharacters: 500 });
  });

  it("takes half of the letters for not Korean yet, and half a chunk as the longest overlap", () => {
    expect(koreanShare("가나 ab 12!")).to.equal(0.5);
    expect(koreanShare("12!")).to.equal(0);
    const large = readSettings(chunkSettings, { env: { TASKWIRE_CHUNK_SECTION_OVERLAP: "1400" } });
    expect(chunkLimits("section", "가나 ab", large)).to.deep.equal({ maxCharacters: 1500, overlapCharacters: 750 });
  });
});
