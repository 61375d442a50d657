import { inspect } from "node:util";
import { ReportBatch } from "#libs/proto/gen/taskwire/bus/v1/report.js";
import type { WriteCommand } from "#task-service/store/write-command.js";

/** A command for people: batches of reports are decoded. */
export function showCommand(command: WriteCommand): string {
  const shown = command.kind === "applyReports" ? { ...command, batches: command.batches.map(readable) } : command;
  return inspect(shown, { depth: 6, breakLength: Infinity });
}

function readable(bytes: Uint8Array): unknown {
  try {
    return ReportBatch.decode(bytes);
  } catch {
    return "no batch";
  }
}
