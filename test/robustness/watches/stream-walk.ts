import { classOf, type DueStep } from "#test/robustness/watches/selected-log.js";
import { checkPage, checkSynced } from "#test/robustness/watches/snapshot-check.js";
import type { StreamSoFar, StreamTruth } from "#test/robustness/watches/stream-truth.js";
import type { SeenStep, WatchFrame, WatchRecord } from "#test/robustness/watches/watch-history.js";
import type { WatchPosition } from "#test/robustness/watches/watch-position.js";
import { differenceOf, streamName } from "#test/robustness/watches/watch-words.js";

/** Goes through the frames of one stream and holds each part against the filtered log. */
export class StreamWalk implements StreamSoFar {
  readonly truth: StreamTruth;
  readonly record: WatchRecord;
  readonly position: WatchPosition;
  readonly name: string;
  readonly reached: number;
  /** The place of the first step it may tell. */
  readonly #beginIndex: number;
  readonly #group: string | undefined;
  readonly #told = new Set<number>();
  readonly #named = new Set<number>();
  /** Progress events that were left out, by task and attempt, until a later one comes. */
  readonly #owed = new Map<string, number>();
  #hasVouched = false;

  /** `position`: where it begins; it is moved. */
  constructor(truth: StreamTruth, record: WatchRecord, position: WatchPosition) {
    this.truth = truth;
    this.record = record;
    this.position = position;
    this.name = streamName(record);
    this.reached = truth.whole.reachedBy(record.beginMs);
    this.#beginIndex = position.next ?? 0;
    const isExact = position.snapshot === undefined && position.next !== undefined;
    this.#group = isExact ? truth.log.steps[this.#beginIndex - 1]?.group : undefined;
  }

  /** Calls `afterFrame` after each frame. */
  run(afterFrame: (frame: number) => void): void {
    for (const [index, frame] of this.record.frames.entries()) {
      this.#frame(frame);
      afterFrame(index);
    }
    this.#expectOwed("it ended");
    this.#expectRestOfGroup();
  }

  advance(index: number, isBookmark = false): void {
    const { log, findings } = this.truth;
    const missing: DueStep[] = [];
    for (const step of log.steps.slice(this.position.next ?? index, index)) {
      const { taskId, revision } = step.event;
      const due = this.position.snapshot?.isDue(taskId, revision) ?? "yes";
      const isThere = due !== "yes" || this.#named.has(revision);
      if (!isThere) missing.push(step);
      findings.reliable.expect(isThere, () => `${this.name} leaves out ${stepText(step)}`);
    }
    const [first] = missing;
    const text = () => (first === undefined ? "" : stepText(first));
    if (isBookmark)
      findings.bookmarkable.expect(first === undefined, () => `${this.name}: a bookmark passes over ${text()}`);
    if (!this.#hasVouched && this.record.start.kind === "token")
      findings.resumable.expect(first === undefined, () => `${this.name} begins after ${text()}`);
    this.#hasVouched = true;
    this.position.next = Math.max(this.position.next ?? index, index);
  }

  #frame(frame: WatchFrame): void {
    for (const revision of frame.lagged) this.#lagged(revision);
    for (const step of frame.steps) this.#step(step);
    if (frame.tasks.length > 0 || (frame.synced !== undefined && this.position.snapshot !== undefined))
      checkPage(this, frame);
    if (frame.synced !== undefined) checkSynced(this, frame.synced);
    if (frame.bookmark !== undefined) this.#bookmark(frame.bookmark);
  }

  #lagged(revision: number): void {
    const { whole, log, findings } = this.truth;
    const index = log.indexOf(revision);
    const step = index === undefined ? undefined : log.steps[index];
    const event = whole.at(revision);
    findings.filtered.expect(
      step?.kind === "event",
      () => `${this.name} names revision ${revision} as left out, which it was not to be told`,
    );
    findings.reliable.expect(
      event !== undefined && classOf(event) === "progress",
      () => `${this.name} leaves out revision ${revision}, which is ${event?.kind?.$case ?? "nothing"}, no progress`,
    );
    findings.unique.expect(
      !this.#told.has(revision) && !this.#named.has(revision) && (index ?? 0) >= this.#beginIndex,
      () => `${this.name} names revision ${revision} as left out, which was told before`,
    );
    this.#named.add(revision);
    if (step?.progressOf !== undefined) this.#owed.set(step.progressOf, revision);
  }

  #step(seen: SeenStep): void {
    const { whole, log, findings } = this.truth;
    const { revision, taskId } = seen;
    const index = log.indexOf(revision);
    const due = index === undefined ? undefined : log.steps[index];
    const difference = differenceOf(seen, due, whole);
    findings.filtered.expect(difference === "", () => `${this.name}: ${difference}`);
    const isRepeated = this.#told.has(revision) || this.#named.has(revision);
    findings.unique.expect(!isRepeated, () => `${this.name} tells revision ${revision} twice`);
    this.#told.add(revision);
    if (index === undefined || due === undefined) return;
    this.#expectAfterCursor(revision, index, isRepeated);
    const { snapshot } = this.position;
    if (snapshot !== undefined) {
      findings.reliable.expect(
        snapshot.isDue(taskId, revision) !== "no",
        () => `${this.name}: ${stepText(due)} comes before the snapshot has passed its task, or is in it`,
      );
      if (seen.kind === "event") snapshot.known.set(taskId, seen.sequence);
      else snapshot.known.delete(taskId);
    }
    if (due.progressOf !== undefined) this.#owed.delete(due.progressOf);
    this.advance(index);
    findings.reliable.expect(true, () => "");
    this.position.next = Math.max(this.position.next ?? 0, index + 1);
    this.position.revision = Math.max(this.position.revision, revision);
  }

  #expectAfterCursor(revision: number, index: number, isRepeated: boolean): void {
    const { findings } = this.truth;
    const { start } = this.record;
    const isNew = start.kind === "now" ? revision > this.reached : index >= this.#beginIndex;
    findings.unique.expect(isNew, () => `${this.name} tells revision ${revision}, which is not after its cursor`);
    if (start.kind === "token" && !isRepeated)
      findings.resumable.expect(isNew, () => `${this.name} tells revision ${revision} again`);
  }

  #bookmark(revision: number): void {
    const { whole, log, findings } = this.truth;
    const isPossible = revision <= whole.lastRevision && (this.position.next !== undefined || revision >= this.reached);
    findings.bookmarkable.expect(
      isPossible && this.position.snapshot === undefined,
      () => `${this.name}: a bookmark is at revision ${revision}, where the log or the snapshot was not`,
    );
    this.advance(log.indexAfter(revision), true);
    this.position.revision = Math.max(this.position.revision, revision);
    this.#expectOwed(`a bookmark at ${revision}`);
  }

  #expectOwed(when: string): void {
    for (const [progressOf, revision] of this.#owed)
      this.truth.findings.reliable.expect(
        false,
        () => `${this.name} left out progress ${revision} of ${progressOf}, and no later one came before ${when}`,
      );
    this.#owed.clear();
  }

  /** Where it began between two events of one commit, the later ones come. */
  #expectRestOfGroup(): void {
    const { log, findings } = this.truth;
    if (this.#group === undefined) return;
    const vouched = log.steps.slice(this.#beginIndex, this.position.next);
    for (const step of vouched.filter(({ group }) => group === this.#group)) {
      const { revision } = step.event;
      findings.atomic.expect(
        this.#told.has(revision) || this.#named.has(revision),
        () => `${this.name} began within a commit and leaves out ${stepText(step)}`,
      );
    }
  }
}

function stepText({ kind, event: { revision, taskId, sequence, kind: what } }: DueStep): string {
  const word = kind === "event" ? what?.$case : `unselected by ${what?.$case}`;
  return `revision ${revision} (${word}, event ${sequence} of task ${taskId})`;
}
