import { spawnSync } from "node:child_process";
import { expect } from "chai";
import { loadKoreanAnalyser } from "#worker/handlers/text-digest/korean-analyser.js";

describe("loadKoreanAnalyser", () => {
  it("cuts particles and endings off", async () => {
    const analyse = await loadKoreanAnalyser();
    const { terms, phrases } = analyse("데이터베이스는 작업의 상태를 안전하게 저장한다.");
    expect(terms).to.include.members(["데이터베이스", "작업", "상태", "저장"]);
    expect(phrases.map(({ text }) => text)).to.deep.equal(["데이터베이스", "작업", "상태"]);
  });

  it("joins neighbouring nouns as they are spaced, foreign words included", async () => {
    const analyse = await loadKoreanAnalyser();
    const texts = analyse("정보통신 기술과 gRPC 스트림을 배운다.").phrases.map(({ text }) => text);
    expect(texts).to.deep.equal(["정보통신 기술", "gRPC 스트림"]);
  });

  it("writes nothing to the console while it loads", () => {
    const file = new URL(import.meta.resolve("#worker/handlers/text-digest/korean-analyser.js")).href;
    const code = `import(${JSON.stringify(file)}).then((module) => module.loadKoreanAnalyser())`;
    const { status, stdout, stderr } = spawnSync(process.execPath, ["--eval", code], { encoding: "utf8" });
    expect({ status, stdout, stderr }).to.deep.equal({ status: 0, stdout: "", stderr: "" });
  });
});
