import { expect } from "chai";
import { TaskState } from "#libs/tasks/task-state.js";
import { webhookDelivery, type EndedTask } from "#libs/tasks/webhook.js";

const ID = "0199aaaa-0000-7000-8000-000000000001";

describe("webhookDelivery", () => {
  const task: EndedTask = {
    id: ID,
    type: "report.generate",
    queue: "default",
    state: TaskState.FAILED,
    attempt: 3,
    sequence: 9,
    error: { code: "NO_DOCUMENTS", message: "none", retryable: false, detailsJson: '{"path":"/secret"}' },
    labelsJson: '{"team":"a"}',
    createTimeMs: 0,
    endTimeMs: 1000,
  };
  const webhook = (...states: number[]) => JSON.stringify({ url: "https://a.test/", states });

  it("tells what became of the task, by a message that has an id for this end", () => {
    const { payloadJson = "", ...rest } = webhookDelivery(task, webhook()) ?? {};
    expect(rest).to.deep.equal({
      type: "webhook.deliver",
      description: `tells that ${ID} is failed`,
      labelsJson: `{"webhook_task":"${ID}"}`,
      requestId: `webhook ${ID} 9`,
    });
    expect(JSON.parse(payloadJson)).to.deep.equal({
      url: "https://a.test/",
      deliveryId: `${ID}_9`,
      body: {
        type: "task.failed",
        timestamp: "1970-01-01T00:00:01.000Z",
        data: {
          id: ID,
          type: "report.generate",
          queue: "default",
          state: "FAILED",
          attempt: 3,
          sequence: 9,
          error: { code: "NO_DOCUMENTS", message: "none" },
          labels: { team: "a" },
          createTime: "1970-01-01T00:00:00.000Z",
          endTime: "1970-01-01T00:00:01.000Z",
        },
      },
    });
  });

  it("is made for the ends that were asked for", () => {
    expect(webhookDelivery(task, webhook(TaskState.FAILED))).to.not.equal(undefined);
    expect(webhookDelivery(task, webhook(TaskState.COMPLETED, TaskState.CANCELLED))).to.equal(undefined);
    expect(webhookDelivery({ ...task, state: TaskState.PENDING }, webhook())).to.equal(undefined);
  });

  it("has no URL where nobody can read what was asked for", () => {
    expect(JSON.parse(webhookDelivery(task, undefined)?.payloadJson ?? "")).to.include({
      url: "",
      deliveryId: `${ID}_9`,
    });
  });
});
