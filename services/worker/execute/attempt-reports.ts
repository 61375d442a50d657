import type { Report } from "#libs/proto/gen/taskwire/bus/v1/report.js";
import type { LogClaim, OutputClaim, ProgressClaim } from "#libs/attempts/speech-claims.js";
import type { ReportGatherer } from "#worker/report/report-gatherer.js";
import type { Ticket } from "#worker/report/report-lane.js";

type Kind = NonNullable<Report["kind"]>;

/** The reports of one attempt: numbers them, keeps the latest progress only, drops lines and output while the worker is crowded. */
export class AttemptReports {
  readonly #taskId: string;
  readonly #attempt: number;
  readonly #gatherer: ReportGatherer;
  #number = 0;
  #latest: Ticket | undefined;
  #logsDropped = false;
  #outputDropped = false;
  #silenced = false;

  constructor(taskId: string, attempt: number, gatherer: ReportGatherer) {
    this.#taskId = taskId;
    this.#attempt = attempt;
    this.#gatherer = gatherer;
  }

  /** Sends a report; `onStored` is called when JetStream has it. */
  say(kind: Kind, onStored?: () => void): void {
    if (this.#silenced) return;
    this.#number += 1;
    this.#latest = this.#gatherer.add(
      { taskId: this.#taskId, attempt: this.#attempt, number: this.#number, kind },
      onStored,
    );
  }

  /** Nothing more is said about this attempt. */
  silence(): void {
    this.#silenced = true;
  }

  progress(claim: ProgressClaim): void {
    const kind: Kind = { $case: "progress", value: { ...claim } };
    const latest = this.#latest;
    if (!this.#silenced && latest?.isTaken === false && latest.report.kind?.$case === "progress")
      latest.report.kind = kind;
    else this.say(kind);
  }

  log(claim: LogClaim): void {
    if (this.#logsDropped) return;
    this.#logsDropped = claim.capped || this.#gatherer.isCrowded;
    this.say({ $case: "log", value: { ...claim, capped: this.#logsDropped } });
  }

  output(claim: OutputClaim): void {
    if (this.#outputDropped) return;
    this.#outputDropped = claim.capped || this.#gatherer.isCrowded;
    this.say({ $case: "output", value: { ...claim, capped: this.#outputDropped } });
  }
}
