import { expect } from "chai";
import { Subjects } from "#libs/bus/subjects.js";

describe("Subjects", () => {
  it("begin with the prefix, so that two installations on one NATS never meet", () => {
    const namesOf = ({ work, reports, heartbeats, worker, rollCall, workStream, reportStream }: Subjects, of: Subjects) => [
      work.call(of, "q"),
      reports,
      heartbeats,
      worker.call(of, "w"),
      rollCall,
      workStream,
      reportStream,
    ];
    const a = new Subjects("a");
    const b = new Subjects("b");
    for (const name of namesOf(a, a)) expect(name).to.match(/^a[.-]/);
    expect(namesOf(a, a).filter((name) => namesOf(b, b).includes(name))).to.deep.equal([]);
  });

  it("give each queue a subject and a consumer of its own", () => {
    const subjects = new Subjects("taskwire");
    expect(subjects.work("mail")).to.equal("taskwire.work.mail");
    expect(subjects.workConsumer("mail")).to.equal("work-mail");
  });
});
