import { setMaxListeners } from "node:events";
import { delay } from "#libs/async/delay.js";
import { watchTasks } from "#libs/client/service-methods.js";
import type { WatchedClass, WatchTasksOptions } from "#libs/client/tasks-watch.js";
import { TaskwireClient } from "#libs/client/taskwire-client.js";
import { EventClass, type WatchTasksRequest } from "#libs/proto/gen/taskwire/v1/task_service.js";
import { Channel } from "#libs/rpc/channel.js";
import { leaveAfter } from "#test/robustness/leave-after.js";
import { frameOfLibrary, frameOfResponse } from "#test/robustness/watches/watch-frame.js";
import type { WatchFrame, WatchRecord, WatchStart } from "#test/robustness/watches/watch-history.js";
import type { LegStart, PlannedWatcher, WatchLeg } from "#test/robustness/watches/watch-plan.js";
import type { KeptToken, WatchRecorder } from "#test/robustness/watches/watch-recorder.js";

/** How a stream begins: for the record, and for the call. */
interface Beginning {
  readonly start: WatchStart;
  readonly asked: NonNullable<WatchTasksOptions["start"]>;
  readonly isWithinSnapshot: boolean;
}

const CLASSES: Readonly<Record<WatchedClass, EventClass>> = {
  states: EventClass.EVENT_CLASS_STATES,
  progress: EventClass.EVENT_CLASS_PROGRESS,
  logs: EventClass.EVENT_CLASS_LOGS,
  output: EventClass.EVENT_CLASS_OUTPUT,
};
const AHEAD = 1_000_000;
/** So long a leg is put off while the service cannot be reached. */
const READY_TIMEOUT_MS = 3000;
const LEGS_PER_PICK = 4;
const LAST_LEG_MS = 20_000;

/** Follows all tasks as planned, through the clients' proxy, all the while, and records every frame. */
export class LogWatchers {
  readonly #channel: Channel;
  readonly #client: TaskwireClient;
  readonly #recorder: WatchRecorder;
  readonly #plan: readonly PlannedWatcher[];
  readonly #accepted: () => readonly string[];
  /** As they were on their latest leg. */
  readonly #latest = new Map<string, PlannedWatcher>();
  readonly #stopping = new AbortController();
  #running: Promise<unknown> = Promise.resolve();

  /** `accepted`: the tasks accepted so far. */
  constructor(
    address: string,
    plan: readonly PlannedWatcher[],
    recorder: WatchRecorder,
    accepted: () => readonly string[],
  ) {
    this.#channel = new Channel({ address });
    this.#client = new TaskwireClient({ address });
    this.#plan = plan;
    this.#recorder = recorder;
    this.#accepted = accepted;
    setMaxListeners(0, this.#stopping.signal);
  }

  /** Begins to watch. */
  start(): void {
    this.#running = Promise.all(this.#plan.map((watcher) => this.#goLegByLeg(watcher)));
  }

  /** Leaves all streams, then reads once more up to a revision, or until nothing comes any more. */
  async finish(revision: number): Promise<void> {
    await this.stop();
    await Promise.all(
      this.#plan.map(async (planned) => {
        const watcher = this.#latest.get(planned.name) ?? planned;
        const leg = { start: watcher.lastStart, forMs: LAST_LEG_MS, stallAfter: 0, stallMs: 0, pauseMs: 0 };
        const isDone = ({ bookmark = 0, synced = 0 }: WatchFrame) => Math.max(bookmark, synced) >= revision;
        await leaveAfter(leg.forMs, undefined, (leaving) => this.#leg(watcher, leg, leaving, isDone));
      }),
    );
  }

  /** Leaves all streams. May be called more than once. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  close(): void {
    this.#client.close();
    this.#channel.close();
  }

  async #goLegByLeg(planned: PlannedWatcher): Promise<void> {
    const { signal } = this.#stopping;
    for (let legs = 0; !signal.aborted; legs += 1) {
      const watcher = this.#onLeg(planned, legs);
      const leg = watcher.nextLeg();
      await leaveAfter(leg.forMs, signal, (leaving) => this.#leg(watcher, leg, leaving, () => false));
      await delay(leg.pauseMs, signal).catch(() => undefined);
      await this.#channel.waitForReady(READY_TIMEOUT_MS).catch(() => undefined);
    }
  }

  /** Filters that name tasks are other ones from time to time, with tokens of their own. */
  #onLeg(planned: PlannedWatcher, legs: number): PlannedWatcher {
    const latest = this.#latest.get(planned.name) ?? planned;
    if (planned.picks === 0 || legs % LEGS_PER_PICK > 0) return latest;
    const names = this.#accepted().slice(-planned.picks);
    const filter = names.map((id) => `id = ${id}`).join(" OR ");
    const watcher = { ...planned, name: `${planned.name}, from leg ${legs}`, filter };
    this.#latest.set(planned.name, watcher);
    return watcher;
  }

  async #leg(
    watcher: PlannedWatcher,
    { start, stallAfter, stallMs }: WatchLeg,
    signal: AbortSignal,
    isDone: (frame: WatchFrame) => boolean,
  ): Promise<void> {
    const { name, via, filter, classes } = watcher;
    const beginning = this.#beginningOf(name, start);
    const subject = { watcher: name, via, filter, classes, start: beginning.start };
    const record = this.#recorder.open(subject, beginning.isWithinSnapshot);
    const frames = via === "raw" ? this.#raw(watcher, beginning, signal) : this.#library(watcher, beginning, signal);
    try {
      for await (const frame of frames) {
        this.#recorder.frame(record, frame);
        if (record.frames.length === stallAfter) await this.#stall(record, stallMs, signal);
        const last = record.frames.at(-1);
        if (last === undefined || !isDone(last)) continue;
        this.#recorder.close(record, "left");
        return;
      }
      this.#recorder.close(record, "ok");
    } catch (error) {
      if (signal.aborted) this.#recorder.close(record, "left");
      else this.#recorder.fail(record, error);
    }
  }

  async #stall(record: WatchRecord, stallMs: number, signal: AbortSignal): Promise<void> {
    const end = this.#recorder.stall(record);
    await delay(stallMs, signal).catch(() => undefined);
    end();
  }

  /** Every frame as it comes, until this one stream ends. */
  async *#raw({ filter, classes }: PlannedWatcher, { asked }: Beginning, signal: AbortSignal) {
    const request = { filter, classes: classes.map((each) => CLASSES[each]), start: startField(asked) };
    for await (const response of this.#channel.serverStream(watchTasks, request, { signal }))
      yield frameOfResponse(response);
  }

  /** What the library makes of all the connections it needs. */
  async *#library({ filter, classes }: PlannedWatcher, { asked }: Beginning, signal: AbortSignal) {
    const options = { filter, classes, start: asked, onGap: "fail", signal } as const;
    for await (const frame of this.#client.watchTasks(options)) yield frameOfLibrary(frame);
  }

  #beginningOf(watcher: string, start: LegStart): Beginning {
    const tokens = this.#recorder.tokensOf(watcher);
    const { lastRevision } = this.#recorder;
    switch (start.kind) {
      case "now":
        return { start: { kind: "now" }, asked: "now", isWithinSnapshot: false };
      case "ahead":
        return fromRevision(lastRevision + AHEAD);
      case "revision":
        return fromRevision(Math.floor(start.share * (lastRevision + 1)));
      case "last":
        return fromToken(tokens.at(-1));
      case "token":
        return fromToken(tokens[Math.floor(start.share * tokens.length)]);
      case "snapshot token": {
        const within = tokens.filter(({ isWithinSnapshot }) => isWithinSnapshot);
        const among = within.length > 0 ? within : tokens;
        return fromToken(among[Math.floor(start.share * among.length)]);
      }
      case "snapshot":
        return fromToken(undefined);
    }
  }
}

function fromRevision(revision: number): Beginning {
  return { start: { kind: "revision", revision }, asked: { afterRevision: revision }, isWithinSnapshot: false };
}

/** With a snapshot where there is no token. */
function fromToken(kept: KeptToken | undefined): Beginning {
  if (kept === undefined) return { start: { kind: "snapshot" }, asked: "snapshot", isWithinSnapshot: true };
  const { stream, frame, token, isWithinSnapshot } = kept;
  return { start: { kind: "token", stream, frame }, asked: { resumeToken: token }, isWithinSnapshot };
}

function startField(asked: Beginning["asked"]): WatchTasksRequest["start"] {
  if (asked === "snapshot") return { $case: "fromSnapshot", value: true };
  if (asked === "now") return { $case: "fromNow", value: true };
  if ("afterRevision" in asked) return { $case: "afterRevision", value: asked.afterRevision };
  return { $case: "resumeToken", value: asked.resumeToken };
}
