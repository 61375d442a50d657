import type { FinalTask } from "#test/robustness/history.js";
import { eventDigest } from "#test/robustness/watches/event-digest.js";
import type { SeenStep, WatchFrame, WatchRecord } from "#test/robustness/watches/watch-history.js";

const ALL = ["states", "progress", "logs", "output"] as const;
const BEGIN_MS = 900;
/** When nothing happens any more and two watchers hear bookmarks only. */
const QUIET_MS = 3000;
const QUIET_FOR_MS = 6000;
const HEARTBEAT_MS = 300;
const AHEAD = 1_000_406;

/** The places of the streams in a sound history. */
export const WATCH = {
  snapshot: 0,
  withinSnapshot: 1,
  withinCommit: 2,
  running: 3,
  ahead: 4,
  quiet: 5,
  cancelled: 7,
} as const;

/** What watchers of many tasks were told while the tasks came to what they are. */
export function soundWatches(finals: readonly FinalTask[]): WatchRecord[] {
  const told = new Telling(finals);
  const { step, page, mark } = told;
  const all = { filter: "", classes: ALL } as const;
  const running = { filter: "state = RUNNING", classes: ["states", "progress"] } as const;
  const ended = { filter: "state = FAILED OR state = CANCELLED", classes: ["states"] } as const;
  const refusal = { reason: "CURSOR_AHEAD", revision: AHEAD, oldestRevision: 0, currentRevision: 203 };
  const left = [101, 103, 201, 202].map((revision) => step(revision));
  const gone = [102, 104, 203].map((revision) => step(revision, "unselected"));
  const inOrder = [...left, ...gone].sort((one, other) => one.revision - other.revision);
  return [
    watch(1, all, { kind: "snapshot" }, [
      page([["done", 4]]),
      told.steps(104),
      page(
        [
          ["stopped", 4],
          ["talker", 4],
        ],
        403,
      ),
      told.steps(404, 405),
      told.steps(406),
      mark(406),
    ]),
    watch(2, all, { kind: "token", stream: 1, frame: 0 }, [
      told.steps(104),
      page(
        [
          ["stopped", 4],
          ["talker", 7],
        ],
        406,
      ),
      mark(406),
    ]),
    watch(3, all, { kind: "token", stream: 1, frame: 3 }, [told.steps(406), mark(406)]),
    watch(4, running, { kind: "revision", revision: 0 }, [
      { steps: inOrder },
      { lagged: [402, 403], steps: [step(401), step(405), step(406, "unselected")] },
      mark(406),
    ]),
    watch(5, all, { kind: "revision", revision: AHEAD }, [], {
      end: "OUT_OF_RANGE CURSOR_AHEAD",
      bounds: refusal,
    }),
    quietWatch(6, "", mark(406)),
    quietWatch(7, "state = RUNNING", mark(406)),
    watch(8, ended, { kind: "snapshot" }, [page([["stopped", 4]], 406), mark(406)], { end: "cut: UNAVAILABLE X" }),
  ];
}

type Part = Partial<WatchFrame>;

/** Makes frames from what became of the tasks. */
class Telling {
  readonly #finals: readonly FinalTask[];

  constructor(finals: readonly FinalTask[]) {
    this.#finals = finals;
  }

  readonly step = (revision: number, kind: SeenStep["kind"] = "event"): SeenStep => {
    for (const { events, constants } of this.#finals) {
      const event = events.find((each) => each.revision === revision);
      if (event === undefined) continue;
      const { type, queue } = constants;
      const { taskId, sequence, state } = event;
      const digest = kind === "event" ? eventDigest({ ...event, type, queue }) : "";
      return { kind, revision, taskId, sequence, state, digest };
    }
    throw new Error(`no event of revision ${revision}`);
  };

  readonly page = (list: readonly (readonly [id: string, sequence: number])[], synced?: number): Part => ({
    tasks: list.map(([id, sequence]) => {
      const event = this.#finals.find(({ snapshot }) => snapshot.id === id)?.events[sequence - 1];
      return { id, sequence, state: event?.state ?? 0, attempt: event?.attempt ?? 0 };
    }),
    synced,
  });

  readonly mark = (bookmark: number): Part => ({ bookmark });

  steps(...revisions: number[]): Part {
    return { steps: revisions.map((revision) => this.step(revision)) };
  }
}

function watch(
  stream: number,
  selection: Pick<WatchRecord, "filter" | "classes">,
  start: WatchRecord["start"],
  parts: readonly Part[],
  more: Partial<WatchRecord> = {},
): WatchRecord {
  const blank = { token: "", lagged: [], steps: [], tasks: [], synced: undefined, bookmark: undefined };
  const frames = parts.map((part, place): WatchFrame => ({ ...blank, atMs: BEGIN_MS + 10 * (place + 1), ...part }));
  return {
    ...{ stream, watcher: `w${stream}`, via: "raw", ...selection, start },
    ...{ beginMs: BEGIN_MS, endMs: BEGIN_MS + 100, end: "left", bounds: undefined, stalls: [], frames },
    ...more,
  };
}

function quietWatch(stream: number, filter: string, mark: Part): WatchRecord {
  const parts: Part[] = [];
  for (let atMs = QUIET_MS; atMs < QUIET_MS + QUIET_FOR_MS; atMs += HEARTBEAT_MS) parts.push({ ...mark, atMs });
  const times = { beginMs: QUIET_MS - 10, endMs: QUIET_MS + QUIET_FOR_MS };
  return watch(stream, { filter, classes: ALL }, { kind: "now" }, parts, times);
}
