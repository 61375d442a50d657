import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect } from "chai";
import {
  ServerReflectionRequest,
  ServerReflectionResponse,
  ServerReflectionService,
} from "#libs/proto/gen/grpc/reflection/v1/reflection.js";
import { Channel } from "#libs/rpc/channel.js";
import { addReflection } from "#libs/rpc/reflection.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { ToyTaskService } from "#test/unit/libs/rpc/toy-task-service.js";

const run = promisify(execFile);
const reflect = {
  path: ServerReflectionService.serverReflectionInfo.path,
  request: ServerReflectionRequest,
  response: ServerReflectionResponse,
};

describe("rpc reflection", function () {
  this.timeout(60_000);
  let toy: ToyTaskService;

  before(async () => {
    toy = new ToyTaskService();
    addReflection(toy.server, ["taskwire.v1.TaskService"]);
    await toy.start();
  });

  after(() => toy.server.stop(0));

  /** buf curl is a strict client: it knows the schema from reflection alone and fails where that is not whole. */
  async function curl(target: string, ...options: string[]): Promise<string> {
    const url = `http://${toy.address}${target}`;
    const { stdout } = await run("node_modules/.bin/buf", [
      "curl",
      "--http2-prior-knowledge",
      "--protocol",
      "grpc",
      ...options,
      url,
    ]);
    return stdout;
  }

  for (const protocol of ["grpc-v1", "grpc-v1alpha"]) {
    it(`lists services and methods by ${protocol}`, async () => {
      const options = ["--reflect-protocol", protocol];
      expect((await curl("", ...options, "--list-services")).trim()).to.equal("taskwire.v1.TaskService");
      const methods = await curl("", ...options, "--list-methods");
      expect(methods)
        .to.contain("taskwire.v1.TaskService/CreateTask")
        .and.to.contain("taskwire.v1.TaskService/WatchTask");
    });
  }

  it("lets a strict client create with JSON, maps and durations, and watch", async () => {
    const task = {
      type: "a.b",
      payload: { n: [1, { deep: true }] },
      labels: { env: "prod" },
      limits: { softTimeout: "1.5s" },
    };
    const created = await curl("/taskwire.v1.TaskService/CreateTask", "-d", JSON.stringify({ task, requestId: "r-1" }));
    const answer = JSON.parse(created) as Record<string, unknown>;
    expect(answer).to.deep.include({ ...task, limits: { softTimeout: "1.500s" } });
    const [stored] = toy.tasks.values();
    expect(stored?.payload).to.deep.equal(task.payload);
    expect(stored?.labels).to.deep.equal(task.labels);
    expect(stored?.limits?.softTimeout).to.deep.equal({ seconds: 1, nanos: 500_000_000 });
  });

  it("shows a strict client rich errors", async () => {
    const error = await rejectionOf(curl("/taskwire.v1.TaskService/CreateTask", "-d", '{"task":{"type":"bad"}}'));
    const { stderr } = error as Error & { stderr: string };
    expect(stderr)
      .to.contain("invalid_argument")
      .and.to.contain("google.rpc.BadRequest")
      .and.to.contain("google.rpc.ErrorInfo");
  });

  it("answers what it does not know with an error response and goes on", async () => {
    const channel = new Channel({ address: toy.address });
    const ask = async (messageRequest: ServerReflectionRequest["messageRequest"]) => {
      const { value } = await channel.serverStream(reflect, { host: "h", messageRequest }).next();
      return value instanceof Object ? value.messageResponse : undefined;
    };
    try {
      expect(await ask({ $case: "fileByFilename", value: "nothing.proto" })).to.deep.equal({
        $case: "errorResponse",
        value: { errorCode: 5, errorMessage: "there is no file nothing.proto" },
      });
      const extension = { containingType: "google.protobuf.FieldOptions", extensionNumber: 1052 };
      expect(await ask({ $case: "fileContainingExtension", value: extension })).to.have.property(
        "$case",
        "fileDescriptorResponse",
      );
      expect(await ask({ $case: "allExtensionNumbersOfType", value: "google.protobuf.FieldOptions" })).to.deep.equal({
        $case: "allExtensionNumbersResponse",
        value: { baseTypeName: "google.protobuf.FieldOptions", extensionNumber: [1052] },
      });
      const refused = channel.serverStream(reflect, { host: "", messageRequest: undefined }).next();
      expect(await rejectionOf(refused)).to.include({ code: "INVALID_ARGUMENT" });
    } finally {
      channel.close();
    }
  });
});
