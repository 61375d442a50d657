import { expect } from "chai";
import { ServiceGroup, type Service } from "#libs/service/service.js";
import { rejectionOf } from "#test/support/rejection-of.js";

function recorded(name: string, diary: string[], failsToStart = false): Service {
  return {
    start: () => {
      diary.push(`start ${name}`);
      return failsToStart ? Promise.reject(new Error(`${name} is broken`)) : Promise.resolve();
    },
    stop: () => {
      diary.push(`stop ${name}`);
      return Promise.resolve();
    },
  };
}

describe("ServiceGroup", () => {
  it("starts in order and stops in reverse", async () => {
    const diary: string[] = [];
    const group = new ServiceGroup([recorded("a", diary), recorded("b", diary)]);
    await group.start();
    await group.stop();
    expect(diary).to.deep.equal(["start a", "start b", "stop b", "stop a"]);
  });

  it("stops what has started when one fails to start, and passes the error on", async () => {
    const diary: string[] = [];
    const group = new ServiceGroup([recorded("a", diary), recorded("b", diary, true), recorded("c", diary)]);
    expect(await rejectionOf(group.start())).to.have.property("message", "b is broken");
    expect(diary).to.deep.equal(["start a", "start b", "stop a"]);
  });

  it("stops each service once, however often it is told", async () => {
    const diary: string[] = [];
    const group = new ServiceGroup([recorded("a", diary)]);
    await group.stop();
    await group.start();
    await Promise.all([group.stop(), group.stop()]);
    expect(diary).to.deep.equal(["start a", "stop a"]);
  });
});
