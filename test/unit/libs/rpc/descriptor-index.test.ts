import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { expect } from "chai";
import { DescriptorIndex } from "#libs/rpc/descriptor-index.js";
import { descriptorSetBytes } from "#libs/rpc/descriptor-set.js";

describe("DescriptorIndex", () => {
  const index = new DescriptorIndex(descriptorSetBytes());
  const parse = (files: Buffer[] | undefined) =>
    (files ?? []).map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
  const names = (files: Buffer[] | undefined) => parse(files).map(({ name }) => name);

  it("finds messages, nested messages, enums, values, fields, services and methods with or without a leading dot", () => {
    const symbols = {
      "taskwire.v1.Task": "task.proto",
      ".taskwire.v1.Task": "task.proto",
      "taskwire.v1.Task.LabelsEntry": "task.proto",
      "taskwire.v1.Task.State": "task.proto",
      "taskwire.v1.Task.PENDING": "task.proto",
      "taskwire.v1.Task.payload": "task.proto",
      "taskwire.v1.TaskView": "task.proto",
      "taskwire.v1.TaskService": "task_service.proto",
      "taskwire.v1.TaskService.WatchTask": "task_service.proto",
    };
    for (const [symbol, file] of Object.entries(symbols)) {
      expect(names(index.filesBySymbol(symbol))[0], symbol).to.equal(`taskwire/v1/${file}`);
    }
    expect(index.filesBySymbol("taskwire.v1.Nothing")).to.equal(undefined);
  });

  it("sends a file with all it imports, each once", () => {
    const found = names(index.filesByName("taskwire/v1/task_service.proto"));
    expect(found[0]).to.equal("taskwire/v1/task_service.proto");
    expect(found).to.include.members([
      "taskwire/v1/task.proto",
      "google/protobuf/struct.proto",
      "google/protobuf/descriptor.proto",
    ]);
    expect(new Set(found).size).to.equal(found.length);
    expect(index.filesByName("nothing.proto")).to.equal(undefined);
  });

  it("knows extensions", () => {
    expect(index.extensionNumbers("google.protobuf.FieldOptions")).to.deep.equal([1052]);
    expect(index.extensionNumbers("taskwire.v1.Task")).to.deep.equal([]);
    expect(index.extensionNumbers("nothing.at.All")).to.equal(undefined);
    expect(names(index.filesByExtension("google.protobuf.FieldOptions", 1052))[0]).to.equal(
      "google/api/field_behavior.proto",
    );
    expect(index.filesByExtension("google.protobuf.FieldOptions", 1)).to.equal(undefined);
  });

  it("lists services and leaves out the private messages", () => {
    expect(index.services).to.deep.equal([
      "grpc.health.v1.Health",
      "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection",
      "taskwire.v1.TaskService",
      "taskwire.v1.WorkerService",
    ]);
    expect(index.filesByName("taskwire/bus/v1/report.proto")).to.equal(undefined);
  });

  it("keeps map entries, optional fields, options and comments", () => {
    const [file] = parse(index.filesByName("taskwire/v1/task.proto"));
    const task = file?.messageType.find(({ name }) => name === "Task");
    const progress = file?.messageType.find(({ name }) => name === "Progress");
    expect(task?.nestedType.find(({ name }) => name === "LabelsEntry")?.options?.mapEntry).to.equal(true);
    expect(progress?.field.find(({ name }) => name === "fraction")?.proto3Optional).to.equal(true);
    expect(task?.field[0]?.options?.$unknown?.map(({ no }) => no)).to.deep.equal([1052]);
    expect(file?.sourceCodeInfo?.location.some(({ leadingComments }) => leadingComments.includes("UUIDv7"))).to.equal(
      true,
    );
  });
});
