import { Metadata } from "@grpc/grpc-js";
import { expect } from "chai";
import { pino } from "pino";
import { TaskwireError, invalidArgument, type ErrorCode } from "#libs/errors/taskwire-error.js";
import { fromServiceError, TRANSPORT_REASON } from "#libs/rpc/service-error.js";
import { asTaskwireError, STATUS_DETAILS_KEY, toCallStatus } from "#libs/rpc/status.js";

const roundTrip = (error: TaskwireError) => fromServiceError(Object.assign(new Error(), toCallStatus(error)));

function richBytes(error: TaskwireError): number {
  const [bytes] = toCallStatus(error).metadata.get(STATUS_DETAILS_KEY);
  return Buffer.isBuffer(bytes) ? bytes.length : -1;
}

describe("status map", () => {
  const codes: Record<ErrorCode, number> = {
    CANCELLED: 1,
    UNKNOWN: 2,
    INVALID_ARGUMENT: 3,
    DEADLINE_EXCEEDED: 4,
    NOT_FOUND: 5,
    ALREADY_EXISTS: 6,
    PERMISSION_DENIED: 7,
    RESOURCE_EXHAUSTED: 8,
    FAILED_PRECONDITION: 9,
    ABORTED: 10,
    OUT_OF_RANGE: 11,
    UNIMPLEMENTED: 12,
    INTERNAL: 13,
    UNAVAILABLE: 14,
    DATA_LOSS: 15,
    UNAUTHENTICATED: 16,
  };

  it("maps every code and brings it back with reason and metadata", () => {
    for (const [name, number] of Object.entries(codes)) {
      const error = new TaskwireError({
        code: name as ErrorCode,
        reason: "WHY",
        message: "text",
        metadata: { a: "b" },
      });
      expect(toCallStatus(error).code, name).to.equal(number);
      const back = roundTrip(error);
      expect(back).to.include({ code: name, reason: "WHY", message: "text" });
      expect(back.metadata).to.deep.equal({ a: "b" });
    }
  });

  it("carries violations", () => {
    const violations = [
      { field: "task.type", description: "must not be empty" },
      { field: 'task.labels["a b"]', description: "is no key" },
    ];
    expect(roundTrip(invalidArgument(violations)).violations).to.deep.equal(violations);
  });

  it("carries a wait always for RESOURCE_EXHAUSTED and UNAVAILABLE, else when there is one", () => {
    const of = (code: ErrorCode, retryAfterMs?: number) =>
      roundTrip(
        new TaskwireError({
          code,
          reason: "WHY",
          message: "",
          ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
        }),
      ).retryAfterMs;
    expect(of("UNAVAILABLE")).to.equal(1000);
    expect(of("RESOURCE_EXHAUSTED", 2500)).to.equal(2500);
    expect(of("ABORTED", 10)).to.equal(10);
    expect(of("ABORTED")).to.equal(undefined);
  });

  it("keeps the message small however it is written", () => {
    for (const letter of ["a", "한", "%", "😀"]) {
      const { details } = toCallStatus(
        new TaskwireError({ code: "ABORTED", reason: "WHY", message: letter.repeat(9000) }),
      );
      expect(encodeURI(details).length, letter).to.be.within(900, 2048);
    }
  });

  it("keeps the details within 4 KiB and says how many violations are left out", () => {
    const violations = Array.from({ length: 500 }, (_, n) => ({
      field: `requests[${n}].task.type`,
      description: "한".repeat(50),
    }));
    const error = invalidArgument(violations);
    expect(richBytes(error)).to.be.within(3000, 4096);
    const kept = roundTrip(error).violations;
    const last = kept.at(-1);
    expect(last).to.deep.equal({ field: "", description: `${500 - kept.length + 1} more fields are invalid` });
  });

  it("keeps the details within 4 KiB with long metadata and long fields", () => {
    const metadata = Object.fromEntries(Array.from({ length: 90 }, (_, n) => [`key_${n}`, "x".repeat(900)]));
    const violations = Array.from({ length: 9 }, () => ({ field: "f".repeat(5000), description: "d".repeat(5000) }));
    const message = "한".repeat(5000);
    expect(
      richBytes(new TaskwireError({ code: "ABORTED", reason: "WHY", message, metadata, violations })),
    ).to.be.at.most(4096);
  });

  it("replaces lone surrogates", () => {
    const status = toCallStatus(invalidArgument([{ field: "a\ud800", description: "b\udc00" }]));
    expect(status.details).to.equal("a\ufffd: b\ufffd");
  });

  it("hides what is no TaskwireError and logs it once under its call id", () => {
    const lines: string[] = [];
    const logger = pino({ level: "error" }, { write: (line: string) => lines.push(line) });
    const error = asTaskwireError(new Error("password is hunter2"), { callId: "c-1", method: "/a/B" }, logger);
    expect(error).to.include({ code: "INTERNAL", message: "internal error" });
    expect(error.metadata).to.deep.equal({ call_id: "c-1" });
    expect(lines).to.have.lengthOf(1);
    expect(lines[0]).to.contain("hunter2").and.to.contain("c-1");
  });

  it("reads errors that carry no details, or broken ones", () => {
    const metadata = new Metadata();
    metadata.set(STATUS_DETAILS_KEY, Buffer.from([255, 255, 255]));
    for (const each of [new Metadata(), metadata]) {
      const error = fromServiceError(Object.assign(new Error(), { code: 14, details: "cut", metadata: each }));
      expect(error).to.include({ code: "UNAVAILABLE", reason: TRANSPORT_REASON, message: "cut" });
    }
  });
});
