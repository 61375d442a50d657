import { expect } from "chai";
import { CommanderError } from "commander";
import { Detached, UsageError } from "#cli/command-errors.js";
import { reportError } from "#cli/report-error.js";
import { ConfigError } from "#libs/config/settings.js";
import { invalidArgument, TaskwireError, type ErrorCode } from "#libs/errors/taskwire-error.js";
import { TRANSPORT_REASON } from "#libs/rpc/service-error.js";

const coded = (code: ErrorCode, reason = "SOME_REASON") =>
  new TaskwireError({ code, reason, message: "what happened" });

describe("reportError", () => {
  const cases: readonly (readonly [string, unknown, number])[] = [
    ["help that was asked for", new CommanderError(0, "commander.helpDisplayed", ""), 0],
    ["a wrong flag", new CommanderError(1, "commander.unknownOption", ""), 2],
    ["wrong usage", new UsageError("no"), 2],
    ["an invalid argument", coded("INVALID_ARGUMENT"), 2],
    ["a cursor that is ahead", coded("OUT_OF_RANGE"), 2],
    ["an unknown task", coded("NOT_FOUND"), 5],
    ["an absent service", coded("UNAVAILABLE"), 4],
    ["no answer in time", coded("DEADLINE_EXCEEDED"), 4],
    ["a full queue", coded("RESOURCE_EXHAUSTED", "QUEUE_FULL"), 75],
    ["a request that is too large", coded("RESOURCE_EXHAUSTED", "MESSAGE_TOO_LARGE"), 1],
    ["a task that has changed", coded("ABORTED", "TASK_CHANGED"), 1],
    ["a wrong configuration", new ConfigError(["a", "b"]), 78],
    ["a detach", new Detached("the task goes on"), 130],
    ["anything else the service refuses", coded("FAILED_PRECONDITION"), 1],
    ["anything else", new Error("boom"), 1],
    ["something that is no error", "boom", 1],
  ];
  for (const [what, error, exitCode] of cases) {
    it(`gives ${what} the exit code ${exitCode}`, () => {
      expect(reportError(error).exitCode).to.equal(exitCode);
    });
  }

  it("names every violated field", () => {
    const { text } = reportError(
      invalidArgument([
        { field: "task.type", description: "is bad" },
        { field: "task.priority", description: "is worse" },
      ]),
    );
    expect(text).to.include("task.type: is bad").and.include("task.priority: is worse");
  });

  it("says how to start the service when it cannot be reached, and only then", () => {
    expect(reportError(coded("UNAVAILABLE", TRANSPORT_REASON)).text)
      .to.include("taskwire dev")
      .and.include("TASKWIRE_ADDRESS");
    expect(reportError(coded("UNAVAILABLE", "NO_WORKER")).text).not.to.include("taskwire dev");
  });

  it("prints nothing more where commander has spoken already", () => {
    expect(reportError(new CommanderError(1, "commander.unknownOption", "x")).text).to.equal("");
  });
});
