import type { Verdict } from "#test/robustness/evidence.js";
import type { HistoryIndex } from "#test/robustness/history-index.js";
import { checkTaskEnd, checkWatchEnd, endsText, startsText, toldText } from "#test/robustness/watches/end-check.js";
import { checkOrder } from "#test/robustness/watches/order-check.js";
import { checkQuiet } from "#test/robustness/watches/quiet-check.js";
import type { SelectedLog } from "#test/robustness/watches/selected-log.js";
import { StreamWalk } from "#test/robustness/watches/stream-walk.js";
import { WatchFindings } from "#test/robustness/watches/watch-findings.js";
import type { WatchRecord } from "#test/robustness/watches/watch-history.js";
import { WatchPosition } from "#test/robustness/watches/watch-position.js";
import { WholeLog } from "#test/robustness/watches/whole-log.js";

/** The watch guarantees, each a verdict of its own, for the streams of WatchTasks; what is true is what WatchTask told of each task in the end. */
export function watchGuarantees({ history }: HistoryIndex): Verdict[] {
  const { streams, watches } = history;
  const whole = new WholeLog(history);
  const findings = new WatchFindings();
  for (const stream of streams) checkTaskEnd(stream, whole, findings);
  const kept = new KeptPositions(watches);
  for (const record of watches) {
    checkOrder(record, findings.ordered);
    checkWatchEnd(record, whole, findings);
    const log = whole.selected(record);
    const walk = new StreamWalk({ whole, log, findings }, record, kept.startOf(record, log));
    walk.run((frame) => {
      kept.keep(record.stream, frame, walk.position);
    });
  }
  checkQuiet(watches, findings.bookmarkable);
  findings.honest.note(endsText(watches));
  findings.resumable.note(startsText(watches));
  findings.filtered.note(toldText(watches, whole));
  return findings.verdicts();
}

/** The positions at the frames whose tokens other streams begin with. */
class KeptPositions {
  readonly #wanted: ReadonlySet<string>;
  readonly #kept = new Map<string, WatchPosition>();

  constructor(watches: readonly WatchRecord[]) {
    this.#wanted = new Set(
      watches.flatMap(({ start }) => (start.kind === "token" ? [`${start.stream} ${start.frame}`] : [])),
    );
  }

  keep(stream: number, frame: number, position: WatchPosition): void {
    const key = `${stream} ${frame}`;
    if (this.#wanted.has(key)) this.#kept.set(key, position.clone());
  }

  startOf({ stream, start }: WatchRecord, log: SelectedLog): WatchPosition {
    switch (start.kind) {
      case "snapshot":
        return WatchPosition.beforeSnapshot();
      case "now":
        return WatchPosition.now();
      case "revision":
        return WatchPosition.after(log, start.revision);
      case "token": {
        const kept = this.#kept.get(`${start.stream} ${start.frame}`);
        if (kept === undefined) throw new Error(`watch ${stream} began with a token that nobody was given`);
        return kept.clone();
      }
    }
  }
}
