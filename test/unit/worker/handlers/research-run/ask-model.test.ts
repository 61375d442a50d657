import { expect } from "chai";
import { critiquePoints, plannedQuestions } from "#worker/handlers/research-run/ask-model.js";

describe("a model's answers in research.run", () => {
  it("are read as a plan: one question per line, without bullets, repetitions and lines that say nothing", () => {
    const answer = "1. What is it?\n2) Where?\n- What is it?\n\n---\n* 언제?\n• Why?";
    expect(plannedQuestions(answer, "query", 3)).to.deep.equal(["What is it?", "Where?", "언제?"]);
    expect(plannedQuestions(" \n", "  the\nquery ", 3)).to.deep.equal(["the query"]);
    expect(plannedQuestions("달".repeat(400), "query", 3)[0])
      .to.have.lengthOf(300)
      .and.match(/달…$/);
  });

  it("are read as faults of a section or of all; OK is none", () => {
    expect(critiquePoints("OK", 2)).to.deep.equal([]);
    expect(critiquePoints("- 2: no source\nSection 1. wrong\n3: of no section\nToo long.", 2)).to.deep.equal([
      { section: 1, text: "no source" },
      { section: 0, text: "wrong" },
      { section: undefined, text: "3: of no section" },
      { section: undefined, text: "Too long." },
    ]);
    expect(critiquePoints("1: again\n".repeat(20), 1)).to.have.lengthOf(10);
  });
});
