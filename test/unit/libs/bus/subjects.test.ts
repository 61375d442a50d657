import { expect } from "chai";
import { Subjects } from "#libs/bus/subjects.js";

describe("Subjects", () => {
  it("begin with the prefix, so that two installations on one NATS never meet", () => {
    const namesOf = (of: Subjects) => [
      of.work("q"),
      of.reports,
      of.heartbeats,
      of.worker("w"),
      of.rollCall,
      of.workStream,
      of.reportStream,
    ];
    const a = new Subjects("a");
    const b = new Subjects("b");
    for (const name of namesOf(a)) expect(name).to.match(/^a[.-]/);
    expect(namesOf(a).filter((name) => namesOf(b).includes(name))).to.deep.equal([]);
  });

  it("give each queue a subject and a consumer of its own", () => {
    const subjects = new Subjects("taskwire");
    expect(subjects.work("mail")).to.equal("taskwire.work.mail");
    expect(subjects.workConsumer("mail")).to.equal("work-mail");
  });
});
